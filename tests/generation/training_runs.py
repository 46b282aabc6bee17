"""Training runs for tests, and what a trainer reports about one."""

from typing import Any

from generation.models import TrainingRun, TrainingSet
from generation.training.events import Event
from generation.training.reporting import record
from tests.dialogues.rows import add_dialogue
from tests.generation.runs import small_corpus
from tests.generation.training_sets import built_set

AT = "2026-11-30T02:00:00+00:00"
CHECKED = [
    {
        "who": who, "n": 40, "delimiter_share": share, "messages_a_turn": messages, "words_a_message": 8.25,
        "stopped_share": 0.975, "distinct_2": 0.431, "copied_share": copied,
    }
    for who, share, messages, copied in (
        ("tuned", 0.825, 2.4, 0.025), ("base", 0.0, 1.0, 0.0), ("data", 0.9, 2.5, None),
    )
]  # fmt: skip
REPLY = "hi !<|msg|>how are you ?"


def dialogue_set(name: str = "Small", *, is_demo: bool = False, **recipe: Any) -> TrainingSet:
    """A built set of four dialogues of six messages."""
    corpus = small_corpus(4, name)
    rows = [
        add_dialogue(corpus, f"s{row.pk}", row.messages, version="stephanie", origin=row, is_demo=is_demo)
        for row in corpus.dialogues.order_by("pk")
    ]
    return built_set(corpus, rows, name=name, **recipe)


def training_run(training_set: TrainingSet | None = None, **fields: Any) -> TrainingRun:
    given = {"name": "Tiny on Small", "base": "tiny/llama", "method": "lora", **fields}
    run: TrainingRun = TrainingRun.objects.create(training_set=training_set or dialogue_set(), **given)
    return run


def event(number: int, kind: str, **payload: Any) -> dict[str, Any]:
    return {"number": number, "at": AT, "kind": kind, **payload}


def story(steps: int = 4) -> list[dict[str, Any]]:
    """What a trainer tells of a training that goes well."""
    told: list[dict[str, Any]] = [
        {"kind": "notice", "text": "Length 212 tokens: the longest example."},
        {"kind": "started", "steps": steps, "parameters": {"rank": 8, "learning_rate": 0.0002},
         "environment": {"python": "3.11", "packages": {"trl": "1.16"}}, "data_sha256": "a" * 64},
    ]  # fmt: skip
    for step in range(1, steps + 1):
        told.append(
            {"kind": "step", "step": step, "epoch": step / steps, "loss": 3.5 / step, "learning_rate": 0.0002,
             "tokens_per_second": 1234.5, "seconds_left": 10.0 * (steps - step), "memory_bytes": 3 * 2**30}
        )  # fmt: skip
        if step % 2 == 0:
            prompt = [["system", "You are a person."], ["user", "hello<|msg|>you there ?"]]
            told.append({"kind": "evaluated", "step": step, "loss": 3.6 / step})
            told.append({"kind": "sample", "step": step, "prompt": prompt, "reply": REPLY, "stopped": step == steps})
    told.append({"kind": "checked", "rows": CHECKED})
    told.append({"kind": "finished", "seconds": 17.5, "steps": steps, "folder": "/runs/one/model", "is_adapter": True})
    return [{"number": number, "at": AT, **fields} for number, fields in enumerate(told, 1)]


def tell(run: TrainingRun, events: list[dict[str, Any]]) -> TrainingRun:
    """The run after these events, read anew."""
    record(run, [Event.of(fields) for fields in events])
    return TrainingRun.objects.select_related("training_set__corpus", "endpoint").get(pk=run.pk)
