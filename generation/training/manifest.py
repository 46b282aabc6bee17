"""What an exported training set says of itself, as one value; `manifest.json`, the card and Croissant come from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from generation.training.recipe import Recipe

FORM = "stephanie-training-set/1"
NAME = "manifest.json"
DEMO = "The demo model's rules wrote some of these dialogues, not a language model."
SIMULATED = "Some of the ratings that chose these dialogues come from a simulator, not from people."


class File(NamedTuple):
    """A written file; `examples` are the lines or rows that it holds, None for files that hold none."""

    sha256: str
    bytes: int
    examples: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """`sha256` is the training set's own, over its examples; `examples` counts them by split.

    `targets` names what was written, by folder. `counts` and `lineage` are as the set and `generation.training.lineage`
    give them.
    """

    name: str
    version: int
    corpus: str
    licence: str
    source: str
    privacy_notice: str
    recipe: Recipe
    sha256: str
    labels: Mapping[str, bool]
    counts: Mapping[str, Any]
    lineage: Mapping[str, Any]
    targets: Mapping[str, str]
    examples: Mapping[str, int]
    files: Mapping[str, File]

    @property
    def title(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def notices(self) -> list[str]:
        """What whoever gets the files must know, each a sentence."""
        told = [DEMO if self.labels["demo"] else "", SIMULATED if self.labels["simulated"] else "", self.privacy_notice]
        return [notice for notice in told if notice]

    @property
    def summary(self) -> str:
        """What it is, in a sentence or two."""
        count = f"{sum(self.examples.values()):,}"
        if self.recipe.kind == "preferences":
            what = f"{count} preferences: of two replies after the same turns of a dialogue, which one is better."
        else:
            what = f"{count} examples: dialogues written as turns of user and assistant."
        return f"{what} A turn can hold several short messages, as people write them in chats (step by step)."

    def with_files(self, files: Mapping[str, File]) -> "Manifest":
        return replace(self, files={**self.files, **files})

    def text(self) -> str:
        recipe = self.recipe
        fields = {
            "form": FORM,
            "name": self.name,
            "version": self.version,
            "kind": recipe.kind,
            "delimiter": recipe.delimiter,
            "system": recipe.system,
            "opener": recipe.opener,
            "sides": list(recipe.sides),
            "seed": recipe.seed,
            "sha256": self.sha256,
            "examples": dict(self.examples),
            "labels": dict(self.labels),
            "notices": self.notices,
            "corpus": {"name": self.corpus, "source": self.source},
            "licence": self.licence,
            "targets": dict(self.targets),
            "recipe": recipe.as_json(),
            "counts": dict(self.counts),
            "lineage": dict(self.lineage),
            "files": {path: _as_json(self.files[path]) for path in sorted(self.files)},
        }
        return json.dumps(fields, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _as_json(file: File) -> dict[str, Any]:
    return {name: value for name, value in file._asdict().items() if value is not None}
