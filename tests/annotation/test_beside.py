"""Several people's restructurings of one dialogue: side by side, where messages end, agreement over all."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotation.models import Restructuring
from annotation.models.people import profile_of
from annotation.restructuring import beside
from annotation.restructuring.boundary_agreement import agreement_table, shared_dialogues
from core.tables import Estimate
from dialogues.alignment import words_of
from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript
from tests.annotation import handed_in, setting
from tests.dialogues.rows import add_dialogue

pytestmark = pytest.mark.django_db
TEXT = [[1, "one two three four five six"], [2, "a b c d"], [2, "e f"]]


@pytest.fixture
def people() -> list[User]:
    return [setting.user(name) for name in ("ann", "bob", "cat")]


def original(corpus: Corpus, key: str = "g") -> Dialogue:
    return add_dialogue(corpus, key, TEXT, "gamma")


def split_after(word: str) -> dict[str, object]:
    return {"op": "split", "at": 0, "offset": TEXT[0][1].index(word) + len(word)}


@pytest.fixture
def gamma() -> Dialogue:
    return original(Corpus.objects.create(name="Chats"))


def test_every_pair_is_measured_and_the_mean_stands_below(gamma: Dialogue, people: list[User]) -> None:
    ann, bob, cat = people
    handed_in.submitted(gamma, ann, split_after("two"))
    handed_in.submitted(gamma, bob, split_after("two"))
    handed_in.submitted(gamma, cat, split_after("three"), {"op": "merge", "at": 3})
    rewrites = beside.rewrites_of(gamma)
    assert [sorted(one.segmentation.boundaries) for one in rewrites] == [[2, 10], [2, 10], [3]]
    table = beside.pairs_table(rewrites, [one.name for one in rewrites])
    # Two and three words a window of 1 (24 words in 7 segments and 24 in 8 are k = 2, both): B of {2, 10} and {3}:
    # one near miss and one boundary alone, 1 − 1.5 / 2.
    assert [row[0] for row in table.rows] == ["1. ann – 2. bob", "1. ann – 3. cat", "2. bob – 3. cat", "Mean"]
    assert table.rows[0][1:] == (0, 0, 1)
    assert table.rows[1][3] == table.rows[2][3] == pytest.approx(0.25)
    assert table.rows[3][3] == pytest.approx(0.5)


def test_texts_stand_side_by_side_in_segments_that_no_version_crosses(gamma: Dialogue, people: list[User]) -> None:
    ann, bob, _ = people
    handed_in.submitted(gamma, ann, split_after("two"))
    handed_in.submitted(gamma, bob, {"op": "merge", "at": 2}, {"op": "delete", "at": 0})
    rows = beside.aligned(gamma.transcript, beside.rewrites_of(gamma))
    texts = [[[message.text for message in cell] for cell in row] for row in rows]
    assert texts == [
        [["one two three four five six"], ["one two", "three four five six"], []],
        [["a b c d", "e f"], ["a b c d", "e f"], ["a b c d e f"]],
    ]


def test_the_picture_says_in_words_for_whom_a_message_ends(
    browser: Client, gamma: Dialogue, people: list[User]
) -> None:
    handed_in.submitted(gamma, people[0], split_after("two"))
    handed_in.submitted(gamma, people[1], split_after("two"), {"op": "merge", "at": 3})
    (first, second) = beside.boundary_picture(gamma.transcript, beside.rewrites_of(gamma))
    assert [(word.text, word.marks) for word in first.words if word.marks] == [("two", ("1", "2"))]
    assert [(word.text, word.names) for word in second.words if word.marks] == [("d", ("the original", "ann"))]
    html = browser.get(f"/restructurings/dialogues/{gamma.pk}/").content.decode()
    assert "(message ends for ann, bob)" in html
    csv = browser.get(f"/restructurings/dialogues/{gamma.pk}/pairs.csv").content.decode()
    names = [profile_of(person).pseudonym for person in people[:2]]
    assert csv.splitlines()[0] == "Pair,Pk,WindowDiff,B"
    # Who they are stays in the house: a file has pseudonyms.
    assert csv.splitlines()[1].startswith(f"1. {names[0]} – 2. {names[1]},")
    assert "1. ann – 2. bob" in html
    assert "1. ann" not in browser.get(f"/restructurings/dialogues/{gamma.pk}/pairs.tex").content.decode()
    assert browser.get(f"/restructurings/dialogues/{gamma.pk}/pairs.tex").status_code == 200
    assert browser.get(f"/restructurings/dialogues/{gamma.pk}/pairs.pdf").status_code == 404


def test_words_are_shown_as_they_are_counted() -> None:
    transcript = Transcript.of([[1, '" hello , you !'], [1, "😀"], [2, "... ok"], [2, "“ yes ” ."]])
    shown = beside.display_words(transcript)
    assert shown == ['" hello ,', "you !", "😀", "... ok", "“ yes ” ."]
    assert len(shown) == len(words_of(transcript).words)


def test_only_what_people_sent_in_is_compared_and_the_page_says_who_is_still_at_it(
    browser: Client, gamma: Dialogue, people: list[User]
) -> None:
    path = f"/restructurings/dialogues/{gamma.pk}/"
    assert browser.get(path).status_code == 404
    handed_in.asked(gamma, people[0])
    assert "Nobody has handed it in yet" in browser.get(path).content.decode()
    handed_in.submitted(gamma, people[1])
    html = browser.get(path).content.decode()
    assert "1 person is still working on it" in html
    assert "Once a second person has handed theirs in" in html
    assert browser.get(f"{path}pairs.csv").status_code == 404


def test_agreement_over_all_is_a_mean_over_dialogues_with_an_interval(browser: Client, people: list[User]) -> None:
    corpus = Corpus.objects.create(name="Chats")
    ann, bob, cat = people
    same, apart, alone = (original(corpus, key) for key in ("same", "apart", "alone"))
    for person in people:
        handed_in.submitted(same, person, split_after("two"))
    handed_in.submitted(apart, ann, split_after("two"))
    handed_in.submitted(apart, bob, split_after("five"))
    handed_in.submitted(alone, ann, split_after("two"))
    handed_in.asked(alone, cat)
    shared = shared_dialogues()
    assert [(one.key, one.people) for one in shared] == [("same", 3), ("apart", 2)]
    # B of {2, 10} and {5, 10}: one match, two alone: 1 − 2 / 3.
    assert [one.values["B"] for one in shared] == [1, pytest.approx(1 / 3)]
    table = agreement_table(shared)
    mean = table.rows[2][1]
    assert isinstance(mean, Estimate)
    assert (mean.value, mean.n) == (pytest.approx(2 / 3), 2)
    # Student's t with one degree of freedom reaches far beyond what a share can be.
    assert (mean.low, mean.high) == (0, 1)
    assert "dialogues: 2, pairs of people: 4" in table.caption
    html = browser.get(f"/restructurings/agreement/?corpus={corpus.pk}").content.decode()
    assert "Boundary" not in html
    assert "apart" in html
    csv = browser.get("/restructurings/agreement/boundaries.csv").content.decode()
    assert csv.splitlines()[0] == "Measure,Mean,Mean n,Mean low,Mean high,Better is"
    assert "booktabs" in browser.get("/restructurings/agreement/boundaries.tex").content.decode()


def test_agreement_follows_what_people_send_in(people: list[User], gamma: Dialogue) -> None:
    handed_in.submitted(gamma, people[0], split_after("two"))
    assert shared_dialogues() == []
    row = handed_in.submitted(gamma, people[1], split_after("two"))
    assert [one.values["B"] for one in shared_dialogues()] == [1]
    handed_in.operate(row, {"op": "undo"})
    assert [one.values["B"] for one in shared_dialogues()] == [0.5]
    Restructuring.objects.filter(pk=row.pk).update(state="withdrawn")
    assert shared_dialogues() == []


def test_without_two_people_the_agreement_page_says_what_to_do(browser: Client) -> None:
    assert "Ask two people for the same dialogue" in browser.get("/restructurings/agreement/").content.decode()
