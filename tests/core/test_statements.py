"""The part of an update that is written by hand: what the ORM would have written, whatever is in it."""

from typing import Any

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.database.statements import set_clause
from dialogues.models import AuditEvent, Corpus

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


class UpdatedRows(TestCase):
    @given(TEXT, st.dictionaries(TEXT, TEXT, max_size=3))
    def test_values_are_read_back_as_they_were(self, subject: str, detail: dict[str, str]) -> None:
        row = AuditEvent.objects.create(verb="test")
        names, params = set_clause(AuditEvent, {"subject": subject, "detail": detail})
        with connection.cursor() as cursor:
            cursor.execute(f'UPDATE "dialogues_auditevent" SET {names} WHERE "id" = %s', [*params, row.pk])
        row.refresh_from_db()
        assert (row.subject, row.detail) == (subject, detail)


def test_values_of_an_update_are_parameters() -> None:
    hostile: Any = """'; DROP TABLE "dialogues_corpus"; -- %s"""
    sql, params = set_clause(Corpus, {"name": hostile})
    assert (sql, params) == ('"name" = %s', [hostile])
