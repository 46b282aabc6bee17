"""The database itself refuses to change what is frozen: raw SQL on whichever engine the suite runs."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from generation import example_sets, triggers
from generation.models import Example, ExampleSet, Prompt

pytestmark = pytest.mark.django_db


@pytest.fixture
def frozen() -> ExampleSet:
    example_sets.load_all()
    row = ExampleSet.objects.get(kind="further_split")
    row.freeze()
    Prompt.objects.get(stage="pair").freeze()
    return row


def execute(statement: str, *parameters: object) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE generation_exampleset SET name = 'x' WHERE id = %s",
        "UPDATE generation_exampleset SET kind = 'single_step' WHERE id = %s",
        "UPDATE generation_exampleset SET note = 'x' WHERE id = %s",
        "UPDATE generation_exampleset SET frozen_at = NULL WHERE id = %s",
        "UPDATE generation_exampleset SET version = 9 WHERE id = %s",
        "UPDATE generation_exampleset SET revision = revision + 1 WHERE id = %s",
        "UPDATE generation_example SET note = 'x' WHERE example_set_id = %s",
        "UPDATE generation_example SET position = position + 100 WHERE example_set_id = %s",
        "DELETE FROM generation_example WHERE example_set_id = %s",
    ],
)
def test_a_frozen_set_and_its_examples_refuse_raw_sql(frozen: ExampleSet, statement: str) -> None:
    with pytest.raises(IntegrityError, match="This is frozen"):
        execute(statement, frozen.pk)
    assert frozen.examples.count() == 5


def test_a_frozen_set_cannot_be_deleted_even_when_it_is_empty() -> None:
    row = ExampleSet.objects.create(name="Empty", kind="single_step")
    row.freeze()
    with pytest.raises(IntegrityError, match="This is frozen"):
        execute("DELETE FROM generation_exampleset WHERE id = %s", row.pk)


def test_examples_go_neither_into_a_frozen_set_nor_out_of_one(frozen: ExampleSet) -> None:
    draft = ExampleSet.objects.create(name="Draft", kind="further_split")
    loose = Example.objects.create(example_set=draft, position=50, messages=[[1, "x"]])
    move = "UPDATE generation_example SET example_set_id = %s WHERE id = %s"
    for target, example in ((frozen.pk, loose.pk), (draft.pk, frozen.examples.earliest("pk").pk)):
        with pytest.raises(IntegrityError, match="This is frozen"):
            execute(move, target, example)
    with pytest.raises(IntegrityError, match="This is frozen"), transaction.atomic():
        Example.objects.bulk_create([Example(example_set=frozen, position=60, messages=[[1, "x"]])])


@pytest.mark.parametrize(
    "change",
    ["UPDATE generation_prompt SET system = 'x'", "UPDATE generation_prompt SET sha256 = 'x'",
     "UPDATE generation_prompt SET frozen_at = NULL", "DELETE FROM generation_prompt"],
)  # fmt: skip
def test_a_frozen_prompt_refuses_raw_sql(frozen: ExampleSet, change: str) -> None:
    with pytest.raises(IntegrityError, match="This is frozen"):
        execute(f"{change} WHERE stage = 'pair'")


def test_drafts_change_freely_and_freezing_is_a_change_of_a_draft(frozen: ExampleSet) -> None:
    assert execute("UPDATE generation_exampleset SET note = 'x' WHERE frozen_at IS NULL") == 2
    assert execute("UPDATE generation_prompt SET system = 'x' WHERE stage = 'theme'") == 1
    assert execute("UPDATE generation_example SET note = 'x' WHERE example_set_id <> %s", frozen.pk) == 10
    row = ExampleSet.objects.get(kind="single_step")
    row.freeze()
    row.freeze()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExampleSet.objects.filter(pk=row.pk).update(note="y")


def test_who_made_a_set_and_what_it_came_from_may_be_forgotten() -> None:
    anna = User.objects.create(username="anna")
    parent = ExampleSet.objects.create(name="Parent", kind="single_step")
    row = ExampleSet.objects.create(name="Child", kind="single_step", parent=parent, created_by=anna)
    row.freeze()
    anna.delete()
    parent.delete()
    row.refresh_from_db()
    assert (row.created_by, row.parent, row.name) == (None, None, "Child")


def test_installing_twice_changes_nothing_and_removing_lets_go(frozen: ExampleSet) -> None:
    triggers.TRIGGERS.install()
    triggers.TRIGGERS.install()
    with triggers.TRIGGERS.lifted():
        assert execute("UPDATE generation_exampleset SET note = 'x' WHERE id = %s", frozen.pk) == 1
    with pytest.raises(IntegrityError):
        execute("UPDATE generation_exampleset SET note = 'y' WHERE id = %s", frozen.pk)


@pytest.mark.django_db(transaction=True)
def test_flush_empties_the_database_and_leaves_the_triggers_in_place() -> None:
    example_sets.load_all()
    for row in ExampleSet.objects.all():
        row.freeze()
    call_command("flush", interactive=False, verbosity=0, stdout=StringIO())
    assert not ExampleSet.objects.exists()
    row = ExampleSet.objects.create(name="After", kind="single_step")
    row.freeze()
    with pytest.raises(IntegrityError, match="This is frozen"):
        execute("DELETE FROM generation_exampleset WHERE id = %s", row.pk)
