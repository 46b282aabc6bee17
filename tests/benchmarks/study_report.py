"""What a report of a large study costs. Run by hand from the checkout:

    python -m tests.benchmarks.study_report [--backgrounds 2500]

Four versions a background, three raters an item, six metrics. Uses the database that DATABASE_URL names (it must be
migrated) and removes what it made. Files are written right after the ratings, and again once PostgreSQL has statistics;
autovacuum may give it some before. The rivals are one pass of the `krippendorff` package a resample, and a bare COPY
(on SQLite a bare cursor) of the rows that `ratings.csv` is made of.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import krippendorff
import numpy as np
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from annotation.models import Study
from annotation.monitoring.adjudication import scores_csv
from annotation.reports import agreement
from annotation.reports.exports import ratings_csv
from annotation.reports.findings import findings
from annotation.reports.scores import study_items, study_scores
from dialogues.models import Corpus
from tests.annotation.rated_study import rated_study

NAME = "benchmark of the report"
RIVAL_DRAWS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backgrounds", type=int, default=2500)
    options = parser.parse_args()
    remove()
    study = rated_study(name=NAME, backgrounds=options.backgrounds, simulated=True)
    print(f"{connection.vendor}, {4 * options.backgrounds:,} items, 3 raters, 6 metrics")
    try:
        measure_all(study)
    finally:
        remove()


def measure_all(study: Study) -> None:
    measure_files(study)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    measure_files(study, "after ANALYZE, ")
    metrics = study.rubric.metric_list()
    items = measure("items: one query", lambda: study_items(study))
    scores = measure("scores: one pivot query", lambda: study_scores(study, items, [m.key for m in metrics]))
    measure("findings", lambda: findings(items, scores, metrics, study.seed))
    table = scores.where(scores.metric == 0)
    measure("  of it α, 1,000 resamples", lambda: agreement.summary(table, ("alpha_ordinal",)))
    measure(f"rival: α, {RIVAL_DRAWS} resamples", lambda: package_bootstrap(table))
    client, address = Client(), reverse("study_report", args=[study.pk])
    client.force_login(User.objects.create_superuser("benchmark@example.org"))
    measure("page, first time", lambda: client.get(address, headers={"host": "localhost"}, secure=True))
    measure("page, again", lambda: client.get(address, headers={"host": "localhost"}, secure=True))


def measure_files(study: Study, when: str = "") -> None:
    measure(f"{when}rival: bare rows", bare_rows)
    measure(f"{when}ratings.csv", lambda: sum(map(len, ratings_csv(study))))
    measure(f"{when}adjudicated.csv", lambda: sum(map(len, scores_csv(study))))
    items = study_items(study)
    measure(f"{when}scores", lambda: study_scores(study, items, [m.key for m in study.rubric.metric_list()]))


def bare_rows() -> int:
    """Characters, or rows on SQLite, of scores beside their ratings."""
    joined = "SELECT * FROM annotation_score s JOIN annotation_rating r ON r.id = s.rating_id"
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return sum(1 for _ in cursor.execute(joined))
        with cursor.copy(f"COPY ({joined}) TO STDOUT CSV") as copied:
            return sum(map(len, copied))


def package_bootstrap(table: Any) -> list[float]:
    rng = np.random.default_rng(0)
    units = table.shape[1]
    return [
        krippendorff.alpha(table[:, rng.integers(units, size=units)], level_of_measurement="ordinal")
        for _ in range(RIVAL_DRAWS)
    ]


def measure(what: str, act: Callable[[], Any]) -> Any:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, spent = time.perf_counter(), time.process_time()
    result = act()
    took, worked = time.perf_counter() - began, time.process_time() - spent
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{what:<34}{took:>8.2f} s {worked:>8.2f} s of processor {more:>6,.0f} MB more", flush=True)
    return result


def remove() -> None:
    User.objects.filter(memberships__study__name=NAME).delete()
    Study.objects.filter(name=NAME).delete()
    Corpus.objects.filter(name=f"{NAME} corpus").delete()
    User.objects.filter(username="benchmark@example.org").delete()


if __name__ == "__main__":
    main()
