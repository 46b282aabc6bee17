"""Every way of adding an example calls the same function."""

import pytest
from django.contrib.auth.models import User

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.curation.content import ContentError
from generation.curation.editing import add_example
from generation.models import Example, ExampleSet, FrozenError
from tests.generation.runs import small_corpus

pytestmark = pytest.mark.django_db

TALK = [[1, "Hi!"], [2, "Hello."], [1, "You?"]]
AFTER = [[1, "Hi!"], [2, "Hel"], [2, "lo."], [1, "You?"]]


def made(kind: str = "step_by_step") -> ExampleSet:
    return ExampleSet.objects.create(name="Mine", kind=kind)


def test_an_example_goes_to_the_end_and_the_record_says_who_added_it() -> None:
    row, anna = made(), User.objects.create(username="anna")
    first = add_example(example_set=row, by=anna, messages=TALK, source="hand")
    second = add_example(example_set=row, by=anna, messages=AFTER, source="hand", traits_1=["I bake."])
    assert (first.position, second.position) == (1, 2)
    assert second.traits_1 == ["I bake."]
    event = AuditEvent.objects.get(subject=f"exampleset:{row.pk}", detail__example=second.pk)
    assert (event.actor, event.verb, event.detail["source"]) == (anna, AuditVerb.EXAMPLE_ADDED, "hand")


def test_a_frozen_set_refuses_another_example() -> None:
    row = made()
    row.freeze()
    with pytest.raises(FrozenError):
        add_example(example_set=row, by=None, messages=TALK, source="hand")
    assert not AuditEvent.objects.filter(verb=AuditVerb.EXAMPLE_ADDED).exists()


def test_a_pair_needs_both_texts_and_others_have_one() -> None:
    with pytest.raises(ContentError, match="before and after"):
        add_example(example_set=made("further_split"), by=None, messages=TALK, source="hand")
    with pytest.raises(ContentError, match="only further-split pairs"):
        add_example(example_set=made(), by=None, messages=TALK, messages_after=AFTER, source="hand")
    with pytest.raises(ContentError, match="say the same"):
        add_example(
            example_set=ExampleSet.objects.create(name="x", kind="further_split"),
            by=None, messages=TALK, messages_after=TALK, source="hand",
        )  # fmt: skip


@pytest.mark.parametrize("messages", [[], [[3, "x"]], [[1, " "]], [[1, "a\x00"]], [[1, "\ud83d"]], ["x"], None])
def test_what_is_no_dialogue_is_refused_with_words(messages: list[list[object]]) -> None:
    with pytest.raises(ContentError):
        add_example(example_set=made(), by=None, messages=messages, source="hand")
    assert not Example.objects.exists()


def test_the_same_dialogue_or_text_twice_is_refused_with_its_place() -> None:
    row = made()
    dialogue = Dialogue.objects.filter(corpus=small_corpus(1)).get()
    add_example(example_set=row, by=None, messages=dialogue.messages, source="corpus", dialogue=dialogue)
    with pytest.raises(ContentError, match="already, as example 1"):
        add_example(example_set=row, by=None, messages=TALK, source="corpus", dialogue=dialogue)
    with pytest.raises(ContentError, match="example 1 of this set has the same text"):
        add_example(example_set=row, by=None, messages=dialogue.messages, source="hand")
