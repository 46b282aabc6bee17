"""A question that is asked about some versions only: on the rating page, in what is kept, expected and reported."""

import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.design import checklist, drafting, launch
from annotation.design.check_views import CheckForm
from annotation.models import Assignment, Item, Membership, Score, Study
from annotation.monitoring import adjudication
from annotation.monitoring.raters import rater_rows
from annotation.rating import queue
from annotation.rating.answers import Answer, AnswerError
from annotation.rating.membership_changes import failed_checks
from annotation.reports.loading import findings_of
from annotation.reports.preference_findings import preferences_of
from annotation.reports.tables import study_tables
from demo.simulation import simulate
from dialogues.models import Rubric
from dialogues.rubric import HUMAN_SCALE, Metric, to_json
from tests.annotation.checked_study import add_item
from tests.annotation.rater_queries import MOST, asked
from tests.annotation.setting import ALL, TWO, check, corpus, draft, member, study, user
from tests.people import client_of

pytestmark = pytest.mark.django_db
KIND = Metric("kind", "Kind", "How kind it is.", "cold", "kind")
THEME = Metric("theme", "On the theme", "Whether it keeps to the theme.", "off", "on", asked_for=("beta", "gamma"))


def rubric() -> Rubric:
    return Rubric.objects.create(
        slug="narrow", name="Narrow", metrics=to_json((KIND, THEME)), scale_low=HUMAN_SCALE.low, scale_high=5
    )


def narrow(k: int | None = None, **fields: Any) -> Study:
    return study(k, of=corpus(1, TWO), versions=TWO, rubric=rubric(), **fields)


def pairs(**fields: Any) -> Study:
    """β beside γ, about which both questions are asked, and α beside β."""
    made = draft(of=corpus(2), kind="pairs", rubric=rubric(), **fields)
    drafting.change_study(study=made, by=None, pairs=[["alpha", "beta"], ["beta", "gamma"]])
    return launch.launch(study=made, by=None)


def held(membership: Membership, version: str, **more: Any) -> Assignment:
    return membership.assignments.get(item__dialogue__version=version, item__purpose="rated", **more)


def send(membership: Membership, assignment: Assignment, scores: dict[str, int], name: str = "rate_submit") -> Any:
    body = {"submission_id": str(assignment.submission_id), "version": assignment.draft_version, "scores": scores}
    address = reverse(name, args=[assignment.token])
    return client_of(membership).post(address, body, content_type="application/json")


def asked_on_page(membership: Membership, assignment: Assignment) -> list[str]:
    page: Any = client_of(membership).get(reverse("rate_item", args=[assignment.token]))
    assert ('name="score-theme"' in page.content.decode()) == ("theme" in page.context["item"].questions[-1].key)
    return [question.key for question in page.context["item"].questions]


def test_a_rating_page_asks_what_the_rubric_asks_about_its_version() -> None:
    ann = member(narrow(), "ann")
    assert asked_on_page(ann, held(ann, "alpha")) == ["kind"]
    assert asked_on_page(ann, held(ann, "beta")) == ["kind", "theme"]


def test_about_a_pair_is_asked_what_is_asked_about_both_versions() -> None:
    ann = member(pairs(), "ann")
    for assignment in ann.assignments.select_related("item"):
        has_alpha = assignment.item.dialogue.version_id == "alpha"
        assert asked_on_page(ann, assignment) == (["kind"] if has_alpha else ["kind", "theme"])


def test_a_submission_is_complete_with_what_is_asked_and_holds_nothing_else() -> None:
    ann = member(narrow(), "ann")
    alpha, beta = held(ann, "alpha"), held(ann, "beta")
    for name in ("rate_draft", "rate_submit"):
        refused = send(ann, alpha, {"kind": 4, "theme": 4}, name)
        assert (refused.status_code, refused.json()["detail"]) == (400, "Nothing called 'theme' is asked here.")
    assert send(ann, alpha, {"kind": 4}).status_code == 200
    lacking = send(ann, beta, {"kind": 4})
    assert (lacking.status_code, lacking.json()["detail"]) == (400, "Choose a point for On the theme.")
    assert send(ann, beta, {"kind": 4, "theme": 2}).status_code == 200
    assert Score.objects.filter(rating__assignment=alpha).values_list("metric", "value").get() == ("kind", 4)


def test_the_plain_form_and_the_queue_itself_ask_the_same() -> None:
    ann = member(narrow(), "ann")
    alpha, beta = held(ann, "alpha"), held(ann, "beta")
    form = {"submission_id": str(alpha.submission_id), "score-kind": 3}
    assert client_of(ann).post(reverse("rate_item", args=[alpha.token]), form).status_code == 302
    with pytest.raises(AnswerError, match="On the theme"):
        queue.submit(ann.rater, beta.token, submission_id=uuid.uuid4(), answer=Answer({"kind": 3}), now=timezone.now())


def test_a_known_score_that_nobody_is_asked_for_counts_against_nobody() -> None:
    one = narrow()
    both = {"kind": 2, "theme": 2}
    alpha = one.items.get(dialogue__version="alpha").dialogue_id
    for purpose in ("training", "attention", "gold"):
        add_item(one, purpose, expected=both, tolerance=0, dialogue_id=alpha)
    ann = member(one, "ann")
    for assignment in ann.assignments.exclude(item__purpose="rated"):
        assert asked_on_page(ann, assignment) == ["kind"]
        assert send(ann, assignment, {"kind": 2}).status_code == 200
    lesson = ann.assignments.get(item__purpose="training")
    feedback: Any = client_of(ann).get(reverse("rate_feedback", args=[lesson.token]))
    assert [(verdict.name, verdict.is_right) for verdict in feedback.context["feedback"].verdicts] == [("Kind", True)]
    assert failed_checks(ann) == 0
    (row,) = rater_rows(one)
    assert (row.checks.gold_passed, row.checks.gold, row.checks.lapses) == (1, 1, 0)


def test_the_list_of_what_was_rated_has_a_dash_where_nothing_was_asked() -> None:
    ann = member(narrow(), "ann")
    send(ann, held(ann, "alpha"), {"kind": 4})
    page: Any = client_of(ann).get(reverse("rate_rated", args=[ann.token]))
    assert [row.scores for row in page.context["rated"].rows] == [("4", "–")]


def test_simulated_raters_answer_what_they_are_asked() -> None:
    one = narrow(2, is_simulated=True)
    assert simulate(study=one, raters=2) == 4
    found = {
        (version, metric)
        for version, metric in Score.objects.values_list("rating__assignment__item__dialogue__version", "metric")
    }
    assert found == {("alpha", "kind"), ("beta", "kind"), ("beta", "theme")}


def test_a_report_says_about_which_versions_nobody_was_asked() -> None:
    one = narrow(2, is_simulated=True)
    simulate(study=one, raters=2)
    tables = study_tables(one, findings_of(one))
    said = "“—” for α under On the theme: raters were not asked it about this version."
    for slug in ("table-3", "agreement-by-version"):
        assert said in tables[slug].notes
    table = tables["agreement-by-version"]
    [row] = [row for row in table.rows if row[:2] == ("On the theme", "α")]
    assert set(row[2:]) == {None}
    assert not any("On the theme (α)" in note for note in table.notes)


def test_a_report_of_pairs_has_no_line_for_what_nobody_was_asked() -> None:
    lines = [(line.metric, line.first, line.second) for line in preferences_of(pairs()).lines]
    assert lines == [("Kind", "α", "β"), ("Kind", "β", "γ"), ("On the theme", "β", "γ")]


def test_only_a_score_that_was_asked_for_can_be_settled() -> None:
    one = narrow()
    alpha = one.items.get(dialogue__version="alpha")
    assert [row.metric.key for row in adjudication.settled_metrics(alpha)] == ["kind"]
    with pytest.raises(adjudication.AdjudicationError, match="point of the scale"):
        adjudication.settle(
            item=alpha, metric="theme", value=3, reason="Because.", seen=0, by=user("rey", "researcher")
        )


def test_a_check_expects_only_what_its_raters_are_asked() -> None:
    one = draft(of=corpus(2), rubric=rubric())
    alpha = one.corpus.dialogues.get(key="d0")
    form = CheckForm({"tolerance": 0, "expect-kind": 4}, study=one, purpose="attention", dialogue=alpha)
    assert "expect-theme" not in form.fields
    assert form.is_valid()
    assert form.values()["note"].endswith("please choose “4” for every question.")
    item = check(one, alpha, expected={"kind": 4, "theme": 4})
    with pytest.raises(drafting.DesignError, match="not asked about what they show: 1"):
        launch.launch(study=one, by=None)
    Item.objects.filter(pk=item.pk).update(expected={"kind": 4})
    assert launch.launch(study=one, by=None).is_open


def test_a_check_of_a_pair_expects_only_what_is_asked_about_both() -> None:
    one = draft(of=corpus(1), rubric=rubric(), kind="pairs")
    beta = one.corpus.dialogues.get(key="d0-beta")
    for other, is_asked in (("d0", False), ("d0-gamma", True)):
        beside = one.corpus.dialogues.get(key=other)
        sent = {"tolerance": 0, "other": beside.pk, "expect-kind": 1, "expect-theme": 1}
        form = CheckForm(sent, study=one, purpose="gold", dialogue=beta)
        assert form.is_valid() == is_asked
        assert is_asked or form.errors["expect-theme"] == ["This is not asked about these two versions."]


@pytest.mark.parametrize(
    ("chosen", "warns"),
    [
        ([["alpha", "beta"], ["beta", "gamma"]], "pairs of versions"),
        ([["beta", "gamma"]], ""),
        (["alpha", "beta"], "versions"),
        (["beta", "gamma"], ""),
    ],
)
def test_the_check_list_warns_where_the_questions_tell_versions_apart(chosen: list[Any], warns: str) -> None:
    is_pairs = isinstance(chosen[0], list)
    versions = ALL if is_pairs else chosen
    one = draft(of=corpus(1), rubric=rubric(), versions=versions, kind="pairs" if is_pairs else "scores")
    if is_pairs:
        drafting.change_study(study=one, by=None, pairs=chosen)
        one.refresh_from_db()
    found = [problem.text for problem in checklist.shoulds(one) if "shorter form" in problem.text]
    assert found == (
        [f"The rubric asks less about some {warns}: the shorter form tells raters which dialogues those are."]
        if warns
        else []
    )


@pytest.mark.parametrize("kind", ["scores", "pairs"])
def test_asking_less_costs_no_more_queries(kind: str) -> None:
    ann = member(pairs() if kind == "pairs" else narrow(), "ann")
    client, address = client_of(ann), reverse("rate_item", args=[held_first(ann)])
    page, sent = asked(lambda: client.get(address))
    assert len(sent) <= MOST, sent
    item = page.context["item"]
    body = {"submission_id": str(item.submission_id), "scores": {one.key: 1 for one in item.questions}}
    kept, sent = asked(lambda: client.post(f"{address}submit/", body, content_type="application/json"))
    assert kept.status_code == 200
    assert len(sent) <= MOST, sent


def held_first(membership: Membership) -> str:
    return membership.assignments.filter(item__purpose="rated").order_by("position")[0].token
