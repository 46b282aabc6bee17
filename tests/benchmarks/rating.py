"""Next and submit of many raters at once, beside a bare Django view with one claim query. By hand, on PostgreSQL:

    DATABASE_URL=postgres://… python -m tests.benchmarks.rating [--raters 1 8 32 100] [--seconds 10]

The database must be migrated and may be filled; what is made here is removed again. Raters are fresh in each run and
have no think time; they, the servers and usually PostgreSQL share this machine's cores, so ratios say more than
figures. Each size of the table is measured with as many raters, the product and the rivals right after each other: the
bare view as Django serves it under uvicorn, with a connection a request; under gunicorn, with as many processes and
threads as the product has, each with a connection of its own; and on the product's server.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("HTTPS", "0")
django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from annotation.allocation.slots import number_items
from annotation.models import Item, Membership, Study
from config import processes
from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.transcript import Transcript
from tests.annotation.setting import ALL, KEYS
from tests.benchmarks import bare
from tests.browser.server import wait_until_up
from tests.demo_process import free_port
from tests.people import session_of

ROOT = Path(__file__).resolve().parents[2]
NAME = "Benchmark of rating"
# Items and places: the second is as many as a large study has.
SIZES = {"10 thousand": (1_000, 10), "1 million": (10_000, 100)}
# The rivals have more than that: the quicker one would use ten thousand up.
BARE_PLACES = 100_000
MESSAGES = 30
# Fewer times have no percentile.
ENOUGH = 20
PRODUCT, BARE = "config.asgi:application", "tests.benchmarks.bare:application"
BARE_WSGI = "tests.benchmarks.bare:wsgi"
LINE = "i like to walk my two dogs in the park near the lake before it gets dark ."


@dataclass(frozen=True)
class Figures:
    pairs: float
    next_p50: float
    next_p95: float
    submit_p50: float
    submit_p95: float
    errors: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raters", type=int, nargs="+", default=[1, 8, 32, 100])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm", type=float, default=5, help="seconds before, so that statements are prepared")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    options = parser.parse_args()
    head = f"{'places':>12}{'raters':>7}  {'':16}{'pairs/s':>8}{'next p50':>9}{'p95':>6}{'submit p50':>11}{'p95':>6}"
    print(f"{head}{'errors':>7}{'of it':>9}", flush=True)
    for size in options.sizes:
        remove()
        study = filled(*SIZES[size])
        try:
            with serving(PRODUCT) as ours, serving_rivals() as rivals:
                for raters in options.raters:
                    measured(ours, fresh_raters(study, raters), options.warm)
                    found = measured(ours, fresh_raters(study, raters), options.seconds)
                    show(size, raters, "product", found)
                    begin = [(session_of(user), "/") for user in fresh_users(raters)]
                    for name, port in rivals.items():
                        measured(port, begin, options.warm)
                        theirs = measured(port, begin, options.seconds)
                        show(size, raters, name, theirs, found.pairs / theirs.pairs if theirs.pairs else math.nan)
        finally:
            remove()


def filled(items: int, places: int) -> Study:
    """An open study of that many items with so many places each, and as many rows for the rival."""
    corpus = Corpus.objects.create(name=NAME)
    text = [[1 + number % 2, f"{LINE} {number}"] for number in range(MESSAGES)]
    plain = Transcript.of(text)
    originals = Dialogue.objects.bulk_create(
        Dialogue.from_transcript(plain, corpus=corpus, key=f"d{number}", version_id="alpha")
        for number in range(items // len(ALL))
    )
    Dialogue.objects.bulk_create(
        Dialogue.from_transcript(plain, corpus=corpus, key=f"{one.key}-{slug}", version_id=slug, origin=one, parent=one)
        for one in originals
        for slug in ALL[1:]
    )
    rubric = Rubric.objects.get(slug="paper-six")
    study = Study.objects.create(name=NAME, corpus=corpus, rubric=rubric, seed=7, raters_per_item=places)
    study.versions.set(Version.objects.filter(pk__in=ALL))
    rows = Dialogue.objects.filter(corpus=corpus).order_by("pk").values_list("pk", "origin_id")
    Item.objects.bulk_create(
        Item(study=study, dialogue_id=pk, background_id=origin or pk, theme="Two people talk.", position=number)
        for number, (pk, origin) in enumerate(rows)
    )
    study.state, study.selection = Study.State.OPEN, {"items": items, "backgrounds": items // len(ALL)}
    study.save(update_fields=["state", "selection"])
    numbered = number_items(study)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE numbered (item bigint, condition int, rank int)")
        cursor.executemany("INSERT INTO numbered VALUES (%s, %s, %s)", [(n.pk, n.condition, n.rank) for n in numbered])
        cursor.execute(
            "INSERT INTO annotation_assignment (study_id, item_id, token, slot, condition, position, is_flipped,"
            " is_repeat, state, lease_until, draft, draft_version, submission_id, skip_reason, created_at)"
            " SELECT %s, item, md5(random()::text || item || slot), slot, condition, rank, false, false, 'open',"
            " '2000-01-01', '{}', 0, gen_random_uuid(), '', now() FROM numbered, generate_series(1, %s) AS slot",
            [study.pk, places],
        )
        cursor.execute("DROP TABLE numbered")
        cursor.execute(bare.TABLES)
        dialogues = [row[0] for row in rows]
        cursor.execute(
            "INSERT INTO bare_place (dialogue) SELECT d FROM generate_series(1, %s), unnest(%s) AS d",
            [max(places, BARE_PLACES // items), dialogues],
        )
    return study


def fresh_raters(study: Study, count: int) -> list[tuple[str, str]]:
    """A session and where to begin, for raters nobody has seen before."""
    first = Membership.objects.filter(study=study).count()
    members = Membership.objects.bulk_create(
        Membership(study=study, rater=user, seed=first + number) for number, user in enumerate(fresh_users(count))
    )
    return [(session_of(member), f"/rate/{member.token}/") for member in members]


def fresh_users(count: int) -> list[User]:
    first = User.objects.filter(username__startswith=NAME).count()
    return User.objects.bulk_create(
        User(username=f"{NAME} {number}", password="!") for number in range(first, first + count)
    )


@contextmanager
def serving_rivals() -> Iterator[dict[str, int]]:
    with (
        serving(BARE) as plain,
        serving(BARE_WSGI, gunicorn, BARE_ON="gunicorn") as workers,
        serving(BARE, BARE_ON="threads") as threaded,
    ):
        yield {"bare, uvicorn": plain, "bare, gunicorn": workers, "bare, our server": threaded}


def gunicorn(host: str, port: int) -> list[str]:
    """As many processes and threads as the product has; it closes no connection that is in use."""
    size = ["--workers", str(os.cpu_count() or 1), "--worker-class=gthread", "--threads", str(settings.WEB_THREADS)]
    return [sys.executable, "-m", "gunicorn", PRODUCT, "--bind", f"{host}:{port}", *size, "--keep-alive=60"]


@contextmanager
def serving(application: str, server: Callable[[str, int], list[str]] = processes.web, **more: str) -> Iterator[int]:
    """A server with production's settings, started as the product's is unless `server` is another."""
    environment = os.environ | {"DEBUG": "0", "HTTPS": "0"} | more
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    python = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
    subprocess.run(python, cwd=ROOT, env=environment, check=True)
    port = free_port()
    command = [part.replace(PRODUCT, application) for part in server("127.0.0.1", port)]
    log = Path(settings.DATA_DIR) / f"benchmark-{port}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sink, stderr=sink)
    try:
        # Any answer will do: a stranger is sent to the log-in page, or refused.
        wait_until_up(f"http://127.0.0.1:{port}/login/" if "config" in application else up(port), process, log)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def up(port: int) -> str:
    return f"http://127.0.0.1:{port}/up/"


def measured(port: int, raters: list[tuple[str, str]], seconds: float) -> Figures:
    with connection.cursor() as cursor:
        # What autovacuum does in production; test machines have it turned off, and then each run pays for those before.
        cursor.execute("VACUUM (ANALYZE)")
    job = {"port": port, "raters": raters, "seconds": seconds, "scores": dict.fromkeys(KEYS, 4)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.raters"],
        cwd=ROOT, input=json.dumps(job), text=True, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    pairs = len(found["submit"]) / found["seconds"]
    return Figures(pairs, *quantiles(found["next"]), *quantiles(found["submit"]), found["errors"])


def quantiles(times: list[float]) -> tuple[float, float]:
    if len(times) < ENOUGH:
        # With a connection a request, many raters at once are more than PostgreSQL lets in.
        return math.nan, math.nan
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def show(size: str, raters: int, what: str, found: Figures, ratio: float | None = None) -> None:
    line = f"{size:>12}{raters:7}  {what:16}{found.pairs:8.1f}{found.next_p50:9.0f}{found.next_p95:6.0f}"
    line += f"{found.submit_p50:11.0f}{found.submit_p95:6.0f}{found.errors:7}"
    print(line + (f"{ratio:9.2f}" if ratio else ""), flush=True)


def remove() -> None:
    """Straight in the database: a million rows through the ORM would take minutes."""
    mine = "(SELECT id FROM annotation_study WHERE name = %s)"
    places = f"(SELECT id FROM annotation_assignment WHERE study_id IN {mine})"
    rated = f"(SELECT id FROM annotation_rating WHERE assignment_id IN {places})"
    with connection.cursor() as cursor:
        for sql in (
            f"DELETE FROM annotation_score WHERE rating_id IN {rated}",
            f"DELETE FROM annotation_rating WHERE assignment_id IN {places}",
            f"DELETE FROM annotation_assignment WHERE study_id IN {mine}",
            f"DELETE FROM annotation_item WHERE study_id IN {mine}",
            f"DELETE FROM annotation_membership WHERE study_id IN {mine}",
        ):
            cursor.execute(sql, [NAME])
        cursor.execute("DROP TABLE IF EXISTS bare_rating; DROP TABLE IF EXISTS bare_place")
    Study.objects.filter(name=NAME).delete()
    Dialogue.objects.filter(corpus__name=NAME).update(origin=None, parent=None)
    Dialogue.objects.filter(corpus__name=NAME).delete()
    Corpus.objects.filter(name=NAME).delete()
    User.objects.filter(username__startswith=NAME).delete()


if __name__ == "__main__":
    main()
