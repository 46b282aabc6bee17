"""What the chats of a large study cost to report. Run by hand from the checkout:

    python -m tests.benchmarks.study_chats [--chats 500]

A hundred events a chat. Uses the database that DATABASE_URL names (it must be migrated); nothing that it makes stays.
"""

import argparse
import os
import time
from collections.abc import Callable
from itertools import chain

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.cache import caches
from django.db import connection, transaction

from annotation.models import ChatEvent, Study
from annotation.monitoring.chats import chat_rows
from annotation.reports.chat_exports import chats_jsonl
from annotation.reports.loading import findings_of
from annotation.reports.study_chats import study_chats
from annotation.reports.tables import study_tables
from tests.annotation.chat_studies import Happened, chat_study, chatted, exchange, join

# 12 exchanges of eight events each, and signs of typing.
EVENTS = list(
    chain.from_iterable(
        [Happened(60 * turn, "typing"), *exchange(60 * turn + 1, ["some words", "and more"], ["a reply"] * 3)]
        for turn in range(12)
    )
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chats", type=int, default=500)
    options = parser.parse_args()
    with transaction.atomic():
        measure(made(options.chats))
        transaction.set_rollback(True)


def made(chats: int) -> Study:
    study = chat_study(name="benchmark of chats", backgrounds=chats // 2)
    testers = [join(study, number) for number in range(10)]
    for number in range(chats):
        chatted(testers[number % 10], ("Tuned", "Plain")[number % 2], number // 2, events=EVENTS)
    return study


def measure(study: Study) -> None:
    print(f"{connection.vendor}, {ChatEvent.objects.count():,} events")
    told = {
        "facts of all chats": lambda: study_chats(study),
        "facts, kept": lambda: study_chats(study),
        "all tables": lambda: study_tables(study, findings_of(study)),
        "rows of the page": lambda: chat_rows(study),
        "chats.jsonl": lambda: sum(map(len, chats_jsonl(study))),
    }
    caches["results"].clear()
    for name, do in told.items():
        print(f"{name}: {seconds(do):.2f} s")


def seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
