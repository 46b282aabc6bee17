"""A database that an older version made, with the demo's content in it, migrates, keeps what it has and is served."""

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from psycopg.sql import SQL, Identifier
from pytest_django import DjangoDbBlocker

from annotation.models import Assignment, Item, Membership, Operation, Rating, Restructuring, Score, Study
from annotation.roles import Role
from dialogues.models import AuditEvent, Corpus, Dialogue
from generation.models import Call, Example, Judgement, Output, Run
from tests.annotation import setting
from tests.browser.server import database_url
from tests.people import client_of

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent
ROWS = {
    Corpus: 1, Dialogue: 96, AuditEvent: 17, Run: 2, Call: 136, Output: 72, Judgement: 384, Example: 15, Study: 2,
    Item: 116, Membership: 4, Assignment: 308, Rating: 288, Score: 1728, Restructuring: 3, Operation: 6, User: 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def older(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The older database, migrated, in the place of the tests' own."""
    with django_db_blocker.unblock():
        load = _sqlite if connection.vendor == "sqlite" else _postgresql
        with load(tmp_path_factory.mktemp("older")) as name, _instead(name):
            call_command("migrate", verbosity=0)
            yield


def _read(name: str) -> str:
    return gzip.decompress((HERE / name).read_bytes()).decode()


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    path = folder / "older.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_read("before_house.sqlite.sql.gz"))
    yield str(path)


@contextmanager
def _postgresql(_: Path) -> Iterator[str]:
    name = f"{connection.settings_dict['NAME']}_older"
    server = database_url().rpartition("/")[0]
    # Lines with a backslash are for psql, which need not be here.
    script = "\n".join(line for line in _read("before_house.pg.sql.gz").splitlines() if not line.startswith("\\"))
    with psycopg.connect(f"{server}/postgres", autocommit=True) as administrator:
        administrator.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(name)))
        administrator.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            with psycopg.connect(f"{server}/{name}", autocommit=True) as database:
                database.execute(script.encode())
            yield name
        finally:
            administrator.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(name)))


@contextmanager
def _instead(name: str) -> Iterator[None]:
    """Let Django's connection be to this database."""
    own = connection.settings_dict["NAME"]
    try:
        _connect(name)
        yield
    finally:
        _connect(own)


def _connect(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
    # What was remembered is of the other database.
    ContentType.objects.clear_cache()
    for cache in caches.all():
        cache.clear()


def test_no_migration_is_left_to_do(older: None) -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_what_was_counted_is_counted_still(older: None) -> None:
    assert {model: model._default_manager.count() for model in ROWS} == ROWS
    closed = Study.objects.get(state="closed")
    assert Rating.objects.counted().filter(assignment__item__study=closed).count() == 288


def addresses(role: Role) -> list[str]:
    """The main pages of a role."""
    if role is Role.RATER:
        return [
            reverse("home"),
            reverse("rate"),
            reverse("rate_next", args=[Membership.objects.get(rater__username="rater").token]),
            reverse("restructurings"),
            *(
                reverse("restructuring", args=[token])
                for token in Restructuring.objects.values_list("token", flat=True)
            ),
        ]
    corpus, (closed, going_on) = Corpus.objects.get(), Study.objects.order_by("pk")
    written, judged = Run.objects.order_by("pk")
    call, dialogue = Call.objects.earliest("pk"), Dialogue.objects.filter(version="stephanie").earliest("pk")
    pages = [
        *(reverse(name) for name in ("home", "method", "dialogues:corpora", "studies", "rubrics")),
        *(reverse(f"dialogues:{name}", args=[corpus.pk]) for name in ("corpus", "statistics")),
        reverse("dialogues:dialogue", args=[dialogue.pk]),
        *(reverse(f"generation:{name}") for name in ("endpoints", "example_sets", "prompts", "runs", "trials")),
        *(reverse(f"generation:{name}") for name in ("run_new", "judge_new")),
        *(reverse(f"generation:{name}", args=[written.pk]) for name in ("run", "run_dialogues", "run_calls")),
        reverse("generation:run_dialogue", args=[written.pk, corpus.dialogues.earliest("pk").pk]),
        *(reverse(f"generation:{name}", args=[judged.pk]) for name in ("run", "run_quality")),
        reverse("generation:judgements", args=[corpus.pk]),
        reverse("generation:call", args=[call.pk]),
        *(reverse(name, args=[closed.pk]) for name in ("study", "study_report", "study_ratings_csv", "study_design")),
        *(reverse(name, args=[closed.pk]) for name in ("study_disagreement", "study_balance", "study_raters")),
        *(reverse(name, args=[going_on.pk]) for name in ("study", "study_raters", "study_preview")),
        reverse("restructuring_overview"),
        reverse("restructuring_review", args=[Restructuring.objects.get(state="submitted").token]),
    ]
    return [*pages, reverse("people"), reverse("person", args=[1])] if role is Role.ADMIN else pages


@pytest.mark.parametrize("role", list(Role))
def test_every_role_is_served_its_pages(older: None, role: Role) -> None:
    client = client_of(User.objects.get(username=role.value))
    found = {address: client.get(address, follow=True).status_code for address in addresses(role)}
    assert found == dict.fromkeys(found, 200)


def test_a_rater_goes_on_where_the_older_version_left_off(older: None) -> None:
    membership = Membership.objects.get(rater__username="rater")
    client = client_of(membership.rater)
    page: Any = client.get(reverse("rate_next", args=[membership.token]), follow=True)
    item = page.context["item"]
    body = {"submission_id": str(item.submission_id), "scores": setting.SCORES}
    answer = client.post(reverse("rate_submit", args=[item.token]), body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert Rating.objects.counted().filter(assignment__membership=membership).count() == 1
