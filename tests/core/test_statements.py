"""Rows written by statements of our own: what the ORM would have written, whatever is in them."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.database.statements import insert, set_clause
from dialogues.models import AuditEvent, Corpus

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


class WrittenRows(TestCase):
    @given(st.lists(st.tuples(TEXT, st.dictionaries(TEXT, TEXT, max_size=3)), min_size=1, max_size=8))
    def test_rows_are_read_back_as_they_were(self, said: list[tuple[str, dict[str, str]]]) -> None:
        rows = [AuditEvent(verb="test", subject=subject, detail=detail) for subject, detail in said]
        insert(rows)
        assert [(one.subject, one.detail) for one in AuditEvent.objects.order_by("pk")] == said
        for row in rows:
            assert AuditEvent.objects.get(pk=row.pk).at == row.at


@pytest.mark.django_db
def test_a_row_that_was_stored_is_saved_again_as_itself() -> None:
    row = Corpus(name="Chats")
    insert([row])
    row.name = "More chats"
    row.save()
    assert Corpus.objects.get() == row


@pytest.mark.django_db
def test_the_database_refuses_what_it_refuses_from_the_orm() -> None:
    Corpus.objects.create(name="Chats")
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([Corpus(name="Others"), Corpus(name="Chats")])
    assert Corpus.objects.count() == 1


def test_values_of_an_update_are_parameters() -> None:
    hostile: Any = """'; DROP TABLE "dialogues_corpus"; -- %s"""
    sql, params = set_clause(Corpus, {"name": hostile})
    assert (sql, params) == ('"name" = %s', [hostile])
