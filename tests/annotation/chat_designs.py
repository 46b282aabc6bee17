"""Studies of chats for tests: two systems at endpoints where nobody answers, unless a test brings its own."""

from collections.abc import Sequence
from typing import Any

from annotation.design import drafting, launch
from annotation.design.chat_systems import SystemChoice
from annotation.models import Study
from dialogues.models import Corpus, Rubric
from generation.models import Endpoint
from tests.annotation.setting import corpus

NAMES = ("Tuned", "Untuned")


def endpoint(name: str = "Nowhere", **fields: Any) -> Endpoint:
    values = {"base_url": "http://127.0.0.1:9/v1", "model": f"secret-model-{name}", **fields}
    made: Endpoint = Endpoint.objects.get_or_create(name=name, defaults=values)[0]
    return made


def system(name: str, **fields: Any) -> SystemChoice:
    return SystemChoice(**{"name": name, "endpoint": endpoint(f"At {name}"), "delimiter": "<|msg|>", **fields})


def chat_draft(
    k: int | None = 2, *, of: Corpus | None = None, systems: Sequence[SystemChoice] | None = None, **fields: Any
) -> Study:
    values: dict[str, Any] = {
        "name": f"Study {Study.objects.count() + 1}",
        "kind": Study.Kind.CHATS,
        "corpus": of or corpus(3),
        "rubric": Rubric.objects.get(slug="chat-four"),
        "raters_per_item": k,
        "seed": 7,
        **fields,
    }
    chosen = [system(name) for name in NAMES] if systems is None else systems
    return drafting.create_study(by=None, systems=chosen, **values)


def chat_study(k: int | None = 2, **fields: Any) -> Study:
    return launch.launch(study=chat_draft(k, **fields), by=None)
