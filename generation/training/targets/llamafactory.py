"""Files for LLaMA-Factory in its sharegpt form, described by `dataset_info.json` beside them.

Its loader blanks an example, with no more than a warning, unless user and assistant alternate from the user on and
their number is even (odd where a preference follows). Examples here always do. Its documentation: data/README.md.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generation.training.rendering import Example, Preference
from generation.training.targets.target import Row, Target, messages, reply, without_system

_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
_COLUMNS = {"messages": "messages", "system": "system"}
_ABOUT = "llamafactory-cli train with dataset_dir: this folder, and dataset: stephanie_train."


def _dialogue(made: Example) -> Iterator[Row]:
    system, turns = without_system(made.turns)
    yield {"messages": messages(turns), "system": system}


def _preference(made: Preference) -> Iterator[Row]:
    system, turns = without_system(made.prompt)
    yield {
        "messages": messages(turns),
        "system": system,
        "chosen": reply(made.chosen),
        "rejected": reply(made.rejected),
    }


def _dialogue_info(splits: Sequence[str]) -> Mapping[str, str]:
    return _info(splits, {"columns": _COLUMNS})


def _preference_info(splits: Sequence[str]) -> Mapping[str, str]:
    return _info(splits, {"ranking": True, "columns": {**_COLUMNS, "chosen": "chosen", "rejected": "rejected"}})


def _info(splits: Sequence[str], described: Mapping[str, Any]) -> Mapping[str, str]:
    info = {
        f"stephanie_{split}": {"file_name": f"{split}.jsonl", "formatting": "sharegpt", **described, "tags": _TAGS}
        for split in splits
    }
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n"}


SHAREGPT = Target("llamafactory", "llamafactory", "LLaMA-Factory", _ABOUT, _dialogue, files=_dialogue_info)
RANKING = Target(
    "llamafactory", "llamafactory", "LLaMA-Factory preferences", _ABOUT, _preference, files=_preference_info
)
