"""Notes and evidence beside scores, and pairs whose sides are turned: what is sent is what comes back."""

from typing import Any

import pytest
from django.urls import reverse

from annotation.models import Assignment, Membership, Rating
from annotation.rating.answers import Answer, AnswerError, read_answer, shown_answer
from annotation.rating.arithmetic import missed, turned_places, turned_scores
from tests.annotation.checked_study import pairs
from tests.annotation.setting import KEYS, SCORES, TWO, corpus, member, open_item, send, study
from tests.people import client_of

pytestmark = pytest.mark.django_db
NOTES = {"comments": {"natural": "stiff\nat first"}, "evidence": {"natural": [0, 2], "engaging": [3]}}


@pytest.fixture
def ann() -> Membership:
    return member(study(of=corpus(2, TWO), versions=TWO), "ann")


def test_notes_and_evidence_are_kept_with_their_scores(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores=SCORES, **NOTES)
    scores = {score.metric: score for score in Rating.objects.get().scores.all()}
    assert scores["natural"].comment == "stiff\nat first"
    assert scores["natural"].evidence == [0, 2]
    assert scores["engaging"].evidence == [3]
    assert (scores["interesting"].comment, scores["interesting"].evidence) == ("", [])
    page: Any = client.get(reverse("rate_item", args=[item.token]))
    natural = next(question for question in page.context["item"].questions if question.key == "natural")
    # People count from 1.
    assert (natural.comment, natural.evidence) == ("stiff\nat first", (1, 3))


def test_a_draft_keeps_notes_and_a_stale_one_shows_them(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    kept = send(client, "rate_draft", item.token, version=0, scores={"natural": 2}, **NOTES)
    assert kept.status_code == 200
    # The same again is no conflict.
    assert send(client, "rate_draft", item.token, version=0, scores={"natural": 2}, **NOTES).status_code == 200
    stale = send(client, "rate_draft", item.token, version=0, scores={"natural": 2})
    assert stale.status_code == 409
    assert stale.json()["draft"]["comments"] == NOTES["comments"]
    assert stale.json()["draft"]["evidence"] == NOTES["evidence"]


def test_without_a_script_messages_are_named_by_their_numbers(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    form = {f"score-{key}": value for key, value in SCORES.items()} | {"submission_id": str(item.submission_id)}
    url = reverse("rate_item", args=[item.token])
    for bad in ("7", "0", "two", "1-3", "9" * 30, "²"):
        refused: Any = client.post(url, {**form, "evidence-natural": bad, "comment-natural": "kept"})
        assert refused.status_code == 422, bad
    assert not Rating.objects.exists()
    client.post(url, {**form, "evidence-natural": " 3, 1 3", "comment-natural": "why\r\nnot"})
    score = Rating.objects.get().scores.get(metric="natural")
    assert (score.evidence, score.comment) == ([0, 2], "why\nnot")


@pytest.mark.parametrize(
    "data",
    [
        {"comments": {"is_current": "x"}},
        {"comments": {"natural": "x" * 2001}},
        {"comments": {"natural": "nul \x00"}},
        {"comments": {"natural": ["a list"]}},
        {"comments": "text"},
        {"evidence": {"natural": [4]}},
        {"evidence": {"natural": [-1]}},
        {"evidence": {"natural": ["x"]}},
        {"evidence": {"natural": 1}},
        {"evidence": {"nothing": [1]}},
        {"evidence": {"natural": [10**30]}},
    ],
)
def test_a_damaged_note_is_refused_and_changes_nothing(ann: Membership, data: dict[str, Any]) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    assert send(client, "rate_draft", item.token, version=0, scores={}, **data).status_code == 400
    assert open_item(client, ann).draft_version == 0


def test_a_note_alone_supersedes_and_the_old_one_stays(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores=SCORES, **NOTES)
    again: Any = client.get(reverse("rate_item", args=[item.token])).context["item"]  # type: ignore[attr-defined]
    send(client, "rate_submit", item.token, submission_id=str(again.submission_id), scores=SCORES)
    assert Rating.objects.count() == 2
    assert Rating.objects.get(is_current=True).scores.get(metric="natural").comment == ""
    assert Rating.objects.get(is_current=False).scores.get(metric="natural").comment == "stiff\nat first"


def test_a_pair_is_scored_relative_to_the_items_dialogue_whichever_stood_left() -> None:
    bob = member(pairs(), "bob")
    client = client_of(bob)
    chosen = dict(zip(KEYS, (-1, -1, 0, 1, 1, 0), strict=True))
    marked = {"natural": [0, 5]}
    for is_flipped in (False, True):
        item = open_item(client, bob)
        Assignment.objects.filter(token=item.token).update(is_flipped=is_flipped)
        item = open_item(client, bob)
        left, right = item.scene.turns[0]["messages"][0], item.scene.right[0]["messages"][0]
        assert ("again" in left, "again" in right) == (is_flipped, not is_flipped)
        data = {"submission_id": str(item.submission_id), "scores": chosen, "evidence": marked}
        assert send(client, "rate_submit", item.token, **data).status_code == 200
        rating = Rating.objects.get(assignment__token=item.token)
        stored = dict(rating.scores.values_list("metric", "value"))
        assert stored == {key: -value if is_flipped else value for key, value in chosen.items()}
        assert {(score.scale_low, score.scale_high) for score in rating.scores.all()} == {(-1, 1)}
        # Message 1 stands left, message 6 is the right one's second.
        assert rating.scores.get(metric="natural").evidence == ([1, 4] if is_flipped else [0, 5])
        page: Any = client.get(reverse("rate_item", args=[item.token]))
        shown = {
            question.key: point.value
            for question in page.context["item"].questions
            for point in question.points
            if point.chosen
        }
        assert shown == chosen
        natural = next(question for question in page.context["item"].questions if question.key == "natural")
        assert natural.evidence == (1, 6)
    listed: Any = client.get(reverse("rate_rated", args=[bob.token]))
    expected = ("Left", "Left", "Same", "Right", "Right", "Same")
    assert [row.scores for row in listed.context["rated"].rows] == [expected, expected]


def test_a_stale_draft_of_a_turned_pair_comes_back_as_it_was_sent() -> None:
    bob = member(pairs(), "bob")
    client = client_of(bob)
    token = open_item(client, bob).token
    Assignment.objects.filter(token=token).update(is_flipped=True)
    sent = {"scores": {"natural": -1}, "evidence": {"natural": [1, 4]}, "comments": {"natural": "x"}}
    assert send(client, "rate_draft", token, version=0, **sent).status_code == 200
    stale = send(client, "rate_draft", token, version=0, scores={}).json()["draft"]
    assert {name: stale[name] for name in sent} == sent


def test_a_pair_takes_no_points_of_the_rubrics_scale() -> None:
    bob = member(pairs(), "bob")
    assignment = bob.assignments.first()
    assert assignment is not None
    with pytest.raises(AnswerError, match="from -1 to 1"):
        read_answer(assignment, {"scores": {"natural": 2}, "comment": "", "flag": ""})


def test_turning_twice_is_not_turning() -> None:
    scores = {"natural": -1, "engaging": 0}
    places = {"natural": [0, 2, 3, 6]}
    assert turned_scores(turned_scores(scores)) == scores
    assert turned_places(turned_places(places, 3, 4), 4, 3) == places
    assert turned_places({"natural": [0, 3]}, 3, 4) == {"natural": [0, 4]}


def test_an_answer_that_is_not_turned_is_shown_as_it_is_stored(ann: Membership) -> None:
    assignment = ann.assignments.first()
    assert assignment is not None
    answer = Answer({"natural": 4}, evidence={"natural": [1]})
    assert shown_answer(assignment, answer) is answer


@pytest.mark.parametrize(
    ("scores", "tolerance", "expected"),
    [
        ({"a": 4, "b": 2}, 0, []),
        ({"a": 3, "b": 2}, 1, []),
        ({"a": 2, "b": 2}, 1, ["a"]),
        ({"a": 5, "b": 4}, 1, ["b"]),
        ({"a": 4}, 5, ["b"]),
        ({"a": 4, "b": 2, "c": 9}, 0, []),
    ],
)
def test_a_metric_is_missed_beyond_the_tolerance_or_without_a_score(
    scores: dict[str, int], tolerance: int, expected: list[str]
) -> None:
    assert missed(scores, {"a": 4, "b": 2}, tolerance) == expected
