"""What generation tests set up: an endpoint at the demo model, a corpus, a run, and a runner in this process."""

import asyncio
from pathlib import Path
from threading import Thread
from typing import Any

from django.db import connections

from dialogues.importing import Source, import_file
from dialogues.models import Corpus
from generation import example_sets
from generation.engine import lifecycle
from generation.engine.runner import CallRunner, Plan, Totals
from generation.models import Endpoint, Run
from generation.plans import run_plan
from generation.plans.choosing import Selection
from generation.stages import ORDER
from tests.dialogues.rows import add_dialogue

NOWHERE = "http://127.0.0.1:9/v1"  # nobody answers there
REAL_FILE = "personachat/valid_both_original_no_cands.txt"


def endpoint_at(base_url: str, **fields: Any) -> Endpoint:
    fields = {"name": "Demo", "model": "demo-rules", "max_in_flight": 32, "timeout_seconds": 20, **fields}
    endpoint: Endpoint = Endpoint.objects.create(base_url=base_url, **fields)
    return endpoint


def small_corpus(size: int = 3, name: str = "Small") -> Corpus:
    """Dialogues of six messages with traits, no themes."""
    corpus = Corpus.objects.create(name=name)
    texts = ("hello there !", "hi , how are you ?", "fine . i just came back from a long walk .", "nice . alone ?")
    for number in range(size):
        messages = [[1 + index % 2, f"{text} {number}"] for index, text in enumerate((*texts, "with my dog .", "ok !"))]
        traits = {"traits_1": ["i have a dog .", "i like hills ."], "traits_2": ["i work at night ."]}
        add_dialogue(corpus, f"d{number}", messages, **traits)
    return corpus


def real_corpus(shared_data: Path) -> Corpus:
    """The real validation split."""
    path = shared_data / REAL_FILE
    return import_file(Source(path, path.name), name="Real", by=None).corpus


def draft(corpus: Corpus, endpoint: Endpoint, **choice: Any) -> Run:
    """A run that isn't started; `sample` and everything of `run_plan.Choice` may be given. One model does it all."""
    example_sets.load_all()
    choice = {
        "endpoints": {key: [endpoint] for key in ORDER},
        "selection": Selection(choice.pop("sample", None)),
        **choice,
    }
    return run_plan.create_run(run_plan.Choice(name="Test run", corpus=corpus, **choice))


def started(corpus: Corpus, endpoint: Endpoint, **choice: Any) -> Run:
    run = draft(corpus, endpoint, **choice)
    lifecycle.start(run)
    return fetched(run)


def fetched(run: Run) -> Run:
    """Read anew, with its stages."""
    return Run.objects.with_stages().get(pk=run.pk)


def work(*runs: Run) -> Totals:
    """A runner in this process, until nothing is left to do."""
    return asyncio.run(CallRunner(Plan(runs=tuple(run.pk for run in runs))).run())


def work_apart(run: Run) -> Thread:
    """A runner in a thread, because the browser's event loop has this one."""

    def working() -> None:
        try:
            work(run)
        finally:
            connections.close_all()

    thread = Thread(target=working)
    thread.start()
    return thread
