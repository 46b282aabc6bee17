"""What a report of a large study costs. Run by hand from the checkout, beside nothing else:

    python -m tests.benchmarks.study_report [--only paper|large]

Three raters an item, six metrics, four versions a background. `paper`: 400 rated items in a corpus of 5,457 backgrounds
that a judge scored whole. `large`: 10,000 rated items. The report is asked for as a person does, computed as a worker
does, and asked for again; each study is measured in a process of its own, so that peak memory is its own. The rivals
are one pass of the `krippendorff` package a resample, and a bare COPY (on SQLite a bare cursor) of the rows that
`ratings.csv` is made of.

Uses the database that DATABASE_URL names (it must be migrated) and removes what it made. Files are written right after
the ratings, and again once PostgreSQL has statistics; autovacuum may give it some before.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Static files straight from their folders.
os.environ.setdefault("DEBUG", "1")
django.setup()

import krippendorff
import numpy as np
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Study
from annotation.monitoring.adjudication import scores_csv
from annotation.reports import agreement
from annotation.reports.exports import ratings_csv
from annotation.reports.loading import findings_result
from annotation.reports.scores import study_items, study_scores
from annotation.tasks import compute_bundle, compute_report
from core.models import Computation
from dialogues.models import Corpus, Dialogue
from dialogues.tasks import compute_figures
from generation.judgements.tasks import compute_judge_report
from generation.models import Call, Judgement, Run, Stage
from tests.annotation.rated_study import VERSIONS, dialogue, rated_study
from tests.generation import judged

NAME = "benchmark of the report"
RATED = {"paper": 100, "large": 2500}  # backgrounds
JUDGED = 5457
RIVAL_DRAWS = 50
BATCH = 5000
TASKS = (compute_report, compute_bundle, compute_figures, compute_judge_report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=RATED, help="one of the studies")
    parser.add_argument("--measure", choices=RATED, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure_all(Study.objects.get(name=NAME), options.measure)
        return
    for kind in [options.only] if options.only else RATED:
        remove()
        study = rated_study(name=NAME, backgrounds=RATED[kind], simulated=True)
        if kind == "paper":
            judge_many(study.corpus, RATED[kind])
        print(f"{connection.vendor}, {kind}: {study.items.count():,} items, 3 raters, 6 metrics", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "tests.benchmarks.study_report", "--measure", kind], check=True)
        finally:
            remove()


def judge_many(corpus: Corpus, rated: int) -> None:
    """Further backgrounds, and a judge's score of each dialogue on each metric."""
    numbers = range(rated, JUDGED)
    originals = Dialogue.objects.bulk_create((dialogue(corpus, n, "alpha") for n in numbers), BATCH)
    pairs = zip(numbers, originals, strict=True)
    further = (dialogue(corpus, n, slug, one) for (n, one), slug in product(pairs, VERSIONS[1:]))
    Dialogue.objects.bulk_create(further, BATCH)
    run = judged.judge_run(corpus, "a judge", name=NAME)
    stage, rng = run.run_stages.get(stage=Stage.JUDGE), np.random.default_rng(3)
    rows = iter(corpus.dialogues.order_by("pk").values_list("pk", "origin_id"))
    while batch := list(islice(rows, BATCH)):
        calls = Call.objects.bulk_create(
            Call(
                run=run, run_stage=stage, dialogue_id=pk, alpha_id=origin or pk, stage=Stage.JUDGE, state="done",
                outcome="ok", not_before=timezone.now(),
            )
            for pk, origin in batch
        )  # fmt: skip
        Judgement.objects.bulk_create(judgements(calls, rng), BATCH)


def judgements(calls: list[Call], rng: np.random.Generator) -> Iterator[Judgement]:
    for call, metric in product(calls, judged.METRICS):
        yield Judgement(call=call, dialogue_id=call.dialogue_id, metric=metric, score=int(rng.integers(101)))


def measure_all(study: Study, kind: str) -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("benchmark@example.org"))
    caches["results"].clear()
    report = reverse("study_report", args=[study.pk])
    print(f"estimated: {findings_result(study).size().seconds:.1f} s")
    measure("report: asked for", lambda: client.get(report, secure=True))
    measure("report: computed by a worker", lambda: worked(compute_report))
    measure("report: again", lambda: client.get(report, secure=True))
    measure("report: a table's CSV", lambda: client.get(f"{report}comparisons.csv", secure=True))
    if kind == "paper":
        for page, task in (("dialogues:statistics", compute_figures), ("generation:judgements", compute_judge_report)):
            address = reverse(page, args=[study.corpus_id])
            measure(f"{page}: asked for", lambda address=address: client.get(address, secure=True))
            measure(f"{page}: computed by a worker", lambda task=task: worked(task))
            measure(f"{page}: again", lambda address=address: client.get(address, secure=True))
    else:
        measure_arithmetic(study)
        for page in ("study", "study_raters", "study_disagreement"):
            address = reverse(page, args=[study.pk])
            measure(f"{page}", lambda address=address: client.get(address, secure=True))
            measure(f"{page}: again", lambda address=address: client.get(address, secure=True))
        bundle = reverse("study_bundle", args=[study.pk])
        measure("bundle: asked for", lambda: client.get(bundle, secure=True))
        measure("bundle: read by a worker", lambda: worked(compute_bundle))
        measure("bundle: its first bytes", lambda: read_the_first(client, bundle))
        measure_files(study)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        measure_files(study, "after ANALYZE, ")


def worked(task: Any) -> None:
    for pk in Computation.objects.waiting().filter(task=task.name).values_list("pk", flat=True):
        task(pk)


def read_the_first(client: Client, address: str) -> None:
    response = client.get(address, secure=True)
    next(iter(response.streaming_content))
    response.close()


def measure_arithmetic(study: Study) -> None:
    items = measure("items: one query", lambda: study_items(study))
    keys = [metric.key for metric in study.rubric.metric_list()]
    scores = measure("scores: one pivot query", lambda: study_scores(study, items, keys))
    table = scores.where(scores.metric == 0)
    measure("α, 1,000 resamples", lambda: agreement.summary(table, ("alpha_ordinal",)))
    measure(f"rival: α, {RIVAL_DRAWS} resamples", lambda: package_bootstrap(table))


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
    """Seconds, seconds of the processor, and the most memory of the process so far."""
    began, spent = time.perf_counter(), time.process_time()
    result = act()
    took, worked = time.perf_counter() - began, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    status = f" ({result.status_code})" if hasattr(result, "status_code") else ""
    print(f"{what + status:<52}{took:>8.2f} s {worked:>8.2f} s of processor {peak:>6,.0f} MB at most", flush=True)
    return result


def remove() -> None:
    User.objects.filter(memberships__study__name=NAME).delete()
    Study.objects.filter(name=NAME).delete()
    Call.objects.filter(run__name=NAME).delete()
    Run.objects.filter(name=NAME).delete()
    Corpus.objects.filter(name=f"{NAME} corpus").delete()
    User.objects.filter(username="benchmark@example.org").delete()
    Computation.objects.filter(task__in=[one.name for one in TASKS]).delete()


if __name__ == "__main__":
    main()
