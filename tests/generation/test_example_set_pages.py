"""What a researcher does with example sets on the pages."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.roles import Role
from dialogues.models import Corpus, Dialogue
from generation import example_sets
from generation.curation import versions
from generation.curation.content import Content
from generation.curation.editing import add_example, change_example, change_set
from generation.models import Call, ExampleSet
from tests.generation.curated import TALK, client_of, draft_set, researcher, rewritten, topics
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started
from tests.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Client:
    return researcher()[1]


def at(name: str, *arguments: int) -> str:
    return reverse(f"generation:{name}", args=arguments)


def test_the_list_groups_versions_and_hides_what_trials_copied(anna: Client) -> None:
    row = draft_set(2)
    versions.freeze(example_set=row, by=None)
    versions.clone(example_set=row, name="Mine", by=None)
    ExampleSet.objects.create(name="A snapshot", kind="step_by_step", snapshot_of=row)
    text = anna.get(at("example_sets")).content.decode()
    assert text.count("<h3") == 1
    assert "Version 1" in text
    assert "Version 2" in text
    assert "A snapshot" not in text
    assert "No set matches" in anna.get(at("example_sets"), {"q": "nothing like it"}).content.decode()
    assert anna.get(at("example_sets"), {"q": "a\x00b"}).status_code == 200
    assert "Version 1" not in anna.get(at("example_sets"), {"kind": "single_step"}).content.decode()


def test_long_lists_take_few_queries(anna: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(60):
        draft_set(1, name=f"Set {number}")
    big = draft_set(30, name="Big")
    source = Dialogue.objects.filter(corpus=small_corpus(30))
    pairs = draft_set(0, "further_split", "Pairs")
    for dialogue in source:
        after = rewritten(dialogue.corpus, dialogue)
        add_example(
            example_set=pairs, by=None, messages=[*dialogue.messages, [1, dialogue.key]], messages_after=after.messages,
            source="corpus", dialogue=dialogue, dialogue_after=after,
        )  # fmt: skip
    pages = (
        at("example_sets"), at("example_set", big.pk), at("example_set", pairs.pk), at("set_balance", pairs.pk),
        at("set_compare", pairs.pk), at("example_choose", pairs.pk),
    )  # fmt: skip
    for path in pages:
        with django_assert_max_num_queries(16):
            assert anna.get(path).status_code == 200


def test_a_set_is_made_once_however_often_the_button_is_clicked(anna: Client) -> None:
    given = {"kind": "further_split", "name": " Mine ", "note": "n", "once": "k"}
    answers = [anna.post(at("set_new"), given) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    row = ExampleSet.objects.get()
    assert (row.name, row.kind, row.note, row.version) == ("Mine", "further_split", "n", 1)
    anna.post(at("set_new"), {**given, "once": "l"})
    assert ExampleSet.objects.latest("pk").version == 2
    assert anna.post(at("set_new"), {"kind": "x", "name": ""}).status_code == 422


def test_an_example_is_written_by_hand_once(anna: Client) -> None:
    row = draft_set(0)
    given = {"messages": "A: Hi\r\nB: Hello\r\n", "traits_1": "I bake.\r\n\r\n I swim. ", "topic": "food", "note": "n"}
    for _ in range(2):
        assert anna.post(at("example_new", row.pk), given).status_code == 302
    example = row.examples.get()
    assert (example.messages, example.traits_1, example.source) == (
        [[1, "Hi"], [2, "Hello"]],
        ["I bake.", "I swim."],
        "hand",
    )
    again = anna.post(at("example_new", row.pk), {**given, "note": "another"})
    assert again.status_code == 422
    assert "Example 1 of this set has the same text." in again.content.decode()


def test_a_pair_by_hand_needs_both_texts(anna: Client) -> None:
    row = draft_set(0, "further_split")
    answer = anna.post(at("example_new", row.pk), {"messages": "A: Hi", "messages_after": ""})
    assert answer.status_code == 422
    assert not row.examples.exists()
    same = anna.post(at("example_new", row.pk), {"messages": "A: Hi", "messages_after": "A: Hi"})
    assert "Before and after say the same" in same.content.decode()
    assert (
        anna.post(at("example_new", row.pk), {"messages": "A: Hi", "messages_after": "A: H\nA: i"}).status_code == 302
    )


def test_two_researchers_on_one_example_get_409_with_both_texts(anna: Client) -> None:
    row = draft_set(1)
    example = row.examples.get()
    bea = researcher("bea")[1]
    given = {"revision": 0, "messages": "A: mine <b>", "topic": "t"}
    assert bea.post(at("example_edit", example.pk), {**given, "messages": "A: theirs <i>"}).status_code == 302
    answer = anna.post(at("example_edit", example.pk), given)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "A: mine &lt;b&gt;" in text
    assert "A: theirs &lt;i&gt;" in text
    assert 'name="revision" value="1"' in text
    example.refresh_from_db()
    assert example.messages == [[1, "theirs <i>"]]
    assert anna.post(at("example_edit", example.pk), {**given, "revision": 1}).status_code == 302
    # The same form sent again says the same, so it is no conflict.
    assert anna.post(at("example_edit", example.pk), {**given, "revision": 1}).status_code == 302
    example.refresh_from_db()
    assert (example.messages, example.revision) == ([[1, "mine <b>"]], 2)


@pytest.mark.parametrize("revision", ["", "x", "-1", "99999999999999999999", "7"])
def test_a_revision_that_makes_no_sense_overwrites_nothing(anna: Client, revision: str) -> None:
    row = draft_set(1)
    example = row.examples.get()
    answer = anna.post(at("example_edit", example.pk), {"revision": revision, "messages": "A: x"})
    assert answer.status_code in (409, 422)
    answer = anna.post(at("set_edit", row.pk), {"revision": revision, "name": "Other"})
    assert answer.status_code == 409
    assert anna.post(at("set_order", row.pk), {"revision": revision, "example": [1, 2]}).status_code == 409
    row.refresh_from_db()
    assert row.name == "Mine"
    assert row.examples.get().messages == example.messages


def test_saving_what_the_form_showed_changes_nothing(anna: Client) -> None:
    row = draft_set(0)
    example = add_example(
        example_set=row, by=None, messages=[[1, "a\r\nb "], [2, "  c\rd"]], theme=" T\r\n", traits_1=["x\ny"],
        source="hand",
    )  # fmt: skip
    form = anna.get(at("example_edit", example.pk)).context["form"]
    sent = {name: str(value).replace("\n", "\r\n") for name, value in form.initial.items()}
    assert anna.post(at("example_edit", example.pk), sent).status_code == 302
    example.refresh_from_db()
    assert example.revision == 0
    anna.post(at("example_edit", example.pk), {**sent, "note": "new"})
    example.refresh_from_db()
    assert (example.messages, example.note, example.revision) == ([[1, "a\r\nb "], [2, "  c\rd"]], "new", 1)


def test_name_and_note_under_two_hands(anna: Client) -> None:
    row = draft_set(1)
    change_set(example_set=row, seen=0, name="Mine", note="theirs", by=None)
    answer = anna.post(at("set_edit", row.pk), {"revision": 0, "name": "Mine", "note": "mine"})
    assert answer.status_code == 409
    assert "theirs" in answer.content.decode()
    assert anna.post(at("set_edit", row.pk), {"revision": 1, "name": "Mine", "note": "mine"}).status_code == 302


def test_one_example_moves_by_its_arrow_and_twice_is_once(anna: Client) -> None:
    row = draft_set(3)
    first = row.examples.earliest("position")
    for _ in range(2):
        assert anna.post(at("set_order", row.pk), {"example": first.pk, "to": 2, "revision": 0}).status_code == 302
    assert topics(row) == ["topic 2", "topic 1", "topic 3"]
    stale = anna.post(at("set_order", row.pk), {"example": first.pk, "to": 3, "revision": 0})
    assert stale.status_code == 409
    answer = anna.post(
        at("set_order", row.pk), {"example": first.pk, "to": 3, "revision": 1}, headers={"accept": "application/json"}
    )
    assert answer.json() == {"revision": 2}


def test_an_example_is_removed_and_the_gap_closes(anna: Client) -> None:
    row = draft_set(3)
    second = row.examples.get(position=2)
    assert "Remove example 2" in anna.get(at("example_remove", second.pk)).content.decode()
    anna.post(at("example_remove", second.pk))
    assert list(row.examples.values_list("position", "topic")) == [(1, "topic 1"), (2, "topic 3")]


def test_a_frozen_set_sends_people_to_its_clone_and_keeps_what_they_typed(anna: Client) -> None:
    row = draft_set(1)
    example = row.examples.get()
    anna.post(at("set_freeze", row.pk))
    for name, pk in (("example_new", row.pk), ("example_choose", row.pk), ("set_edit", row.pk), ("set_delete", row.pk),
                     ("example_edit", example.pk), ("example_remove", example.pk)):  # fmt: skip
        answer = anna.get(at(name, pk), follow=True)
        assert "never changes. Clone it" in answer.content.decode(), name
    for path in (at("example_new", row.pk), at("example_edit", example.pk)):
        answer = anna.post(path, {"revision": 0, "messages": "A: what I typed"})
        assert answer.status_code == 409
        assert "A: what I typed" in answer.content.decode()
        assert "It was frozen since you opened this page" in answer.content.decode()
    assert anna.post(at("set_order", row.pk), {"example": example.pk, "to": 1}).status_code == 302
    assert not any(
        "Edit" in line for line in anna.get(at("example_set", row.pk)).content.decode().splitlines() if "btn" in line
    )


def test_an_empty_set_is_not_frozen(anna: Client) -> None:
    row = draft_set(0)
    answer = anna.post(at("set_freeze", row.pk), follow=True)
    assert "nothing to freeze" in answer.content.decode()
    row.refresh_from_db()
    assert row.frozen_at is None


def test_a_dialogue_is_taken_with_what_stands_beside_it(anna: Client) -> None:
    corpus = small_corpus(2)
    dialogue = Dialogue.objects.filter(corpus=corpus).earliest("pk")
    row = draft_set(0)
    path = reverse("generation:example_take", args=[row.pk, dialogue.pk])
    form = anna.get(path).context["form"]
    assert form.initial["traits_1"] == "i have a dog .\ni like hills ."
    answer = anna.post(f"{path}?corpus={corpus.pk}", {"again": "1", **form.initial, "topic": "walks"})
    assert answer["Location"] == f"{at('example_choose', row.pk)}?corpus={corpus.pk}"
    assert anna.post(path, {**form.initial, "topic": "walks"}).status_code == 302
    example = row.examples.get()
    assert (example.messages, example.source, example.topic) == (dialogue.messages, "corpus", "walks")
    assert anna.post(path, {**form.initial, "topic": "other"}).status_code == 422
    pairs = draft_set(0, "further_split", "Pairs")
    answer = anna.post(reverse("generation:example_take", args=[pairs.pk, dialogue.pk]), {})
    assert "nothing was written from this dialogue yet" in answer.content.decode()


def test_a_set_with_examples_of_private_chats_warns_whoever_exports_it(anna: Client) -> None:
    corpus = small_corpus(1)
    row = draft_set(0)
    dialogue = Dialogue.objects.filter(corpus=corpus).earliest("pk")
    add_example(example_set=row, by=None, messages=dialogue.messages, source="corpus", dialogue=dialogue)
    assert "holds personal data" not in anna.get(at("example_set", row.pk)).content.decode()
    Corpus.objects.update(personal_data="yes", consent="Both, in writing")
    assert "this consent goes: Both, in writing" in anna.get(at("example_set", row.pk)).content.decode()
    complaint = StringIO()
    call_command("example_set", "export", str(row.pk), stdout=StringIO(), stderr=complaint)
    assert "Both, in writing" in complaint.getvalue()


def test_what_changed_is_marked_in_words(anna: Client) -> None:
    row = draft_set(2)
    made = versions.clone(example_set=row, name="Mine", by=None)
    first = made.examples.earliest("position")
    content = Content.of(made.kind, messages=[*TALK, [2, "Number one."]], note="New <b>")
    change_example(example=first, seen=0, content=content, by=None)
    text = anna.get(at("set_compare", made.pk)).content.decode()
    assert '<ins><span class="visually-hidden">added: </span>one.</ins>' in text
    assert '<del><span class="visually-hidden">removed: </span>1.</del>' in text
    assert "note changed" in text
    assert "New &lt;b&gt;" in text
    assert anna.get(at("set_compare", made.pk), {"other": "x"}).status_code == 422


def test_the_balance_says_in_words_what_remains(anna: Client) -> None:
    example_sets.load_all()
    row = ExampleSet.objects.get(kind="further_split")
    weight = anna.get(at("set_balance", row.pk)).context["weight"]
    assert weight.window == 8192
    assert f"About {weight.left:,} of 8,192 tokens remain" in anna.get(at("set_balance", row.pk)).content.decode()
    assert "nothing remains" in anna.get(at("set_balance", row.pk), {"window": 600}).content.decode()
    assert anna.get(at("set_balance", row.pk), {"window": "1e9"}).status_code == 422


def test_a_set_names_its_runs_and_a_call_leads_back_to_the_exact_version(anna: Client) -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    row = run.rows_of("pair")[0].example_sets.earliest("pk")
    assert run.get_absolute_url() in anna.get(at("example_set", row.pk)).content.decode()
    Call.objects.filter(run=run).update(stage="pair", run_stage=run.rows_of("pair")[0])
    call = run.calls.earliest("pk")
    text = anna.get(call.get_absolute_url()).content.decode()
    assert f'<a href="{row.get_absolute_url()}">' in text
    assert f"{row.name} v{row.version}" in text


def test_a_rater_changes_nothing() -> None:
    row = draft_set(1)
    rater = client_of(make_user(Role.RATER))
    assert rater.post(at("set_freeze", row.pk)).status_code == 403
    assert rater.post(at("example_remove", row.examples.get().pk)).status_code == 403
