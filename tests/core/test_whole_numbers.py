"""A number that a column cannot hold is refused, and never stored as another one."""

import pytest
from django.db import DatabaseError, connection, transaction

from generation.models import Example, ExampleSet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("position", [32_768, 65_536 + 7, 7_331_605])
def test_a_small_column_refuses_a_large_number(position: int) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's columns hold any whole number")
    examples = ExampleSet.objects.create(name="Large", kind="step_by_step")
    with pytest.raises(DatabaseError), transaction.atomic():
        Example.objects.create(example_set=examples, position=position, messages=[], theme="x")
    assert not examples.examples.exists()


def test_a_column_refuses_more_than_its_32_bits() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's columns hold any whole number")
    from psycopg.types.numeric import Int4

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s", [Int4(2**33 + 5)])
