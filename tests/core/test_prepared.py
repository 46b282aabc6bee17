"""Queries whose SQL is written once give what the queryset gives, on the database at hand."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import connections
from django.db.models import Count, F

from core.database.prepared import Prepared
from dialogues.models import Corpus, Dialogue
from tests.annotation.setting import corpus

pytestmark = pytest.mark.django_db
NAMED = Prepared(lambda name: Corpus.objects.filter(name=name).annotate(n=Count("dialogues")), name=str)


def test_rows_are_those_of_the_queryset_with_all_they_carry() -> None:
    chats = corpus(3)
    build = lambda corpus, key: (  # noqa: E731
        Dialogue.objects.filter(corpus_id=corpus, key__gte=key).select_related("corpus").annotate(twice=F("pk") * 2)
    )
    prepared = Prepared(build, corpus=int, key=str)
    for key in ("", "d1", "zzz"):
        found, expected = prepared.rows(corpus=chats.pk, key=key), list(build(chats.pk, key))
        assert [row.__dict__.keys() for row in found] == [row.__dict__.keys() for row in expected]
        assert [(row, row.messages, row.corpus, row.twice) for row in found] == [
            (row, row.messages, row.corpus, row.twice) for row in expected
        ]


def test_the_sql_is_written_once_and_values_stay_values(django_assert_num_queries: object) -> None:
    built: list[str] = []

    def build(name: str) -> object:
        built.append(name)
        return Corpus.objects.filter(name=name)

    prepared = Prepared(build, name=str)  # type: ignore[arg-type]
    Corpus.objects.create(name='it\'s 100 % "one"; --')
    assert [row.name for row in prepared.rows(name='it\'s 100 % "one"; --')] == ['it\'s 100 % "one"; --']
    assert prepared.first(name="nobody") is None
    assert len(built) == 1


@pytest.mark.parametrize("fixed", ['it\'s 100 % "one"; -- \\ %s', "<b>&\U0001f600 שלום"])
def test_what_is_fixed_is_a_value_too_whatever_is_in_it(fixed: str) -> None:
    made = Corpus.objects.create(name=fixed)
    prepared = Prepared(lambda key: Corpus.objects.filter(name=fixed, pk__gte=key), key=int)
    assert prepared.rows(key=0) == [made]
    assert prepared.rows(key=made.pk + 1) == []
    sql, params = prepared.sql(key=made.pk)
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({sql}) AS found", params)
        assert cursor.fetchone() == (1,)


def test_times_find_what_they_find_in_a_queryset() -> None:
    made = Corpus.objects.create(name="one")
    prepared = Prepared(lambda at: Corpus.objects.filter(created_at__lte=at), at=datetime)
    assert prepared.rows(at=made.created_at) == [made]
    assert prepared.rows(at=made.created_at - timedelta(microseconds=1)) == []
    assert prepared.rows(at=datetime(2000, 1, 1, tzinfo=UTC)) == []


def test_a_value_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        Prepared(lambda name, key: Corpus.objects.filter(name=name), name=str, key=int).rows(name="one", key=1)


@pytest.mark.django_db(transaction=True)
def test_threads_share_it_each_over_its_own_connection() -> None:
    Corpus.objects.create(name="shared")
    found: list[int] = []

    def read() -> None:
        found.extend(len(NAMED.rows(name="shared")) for _ in range(20))
        connections.close_all()

    threads = [Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 80
