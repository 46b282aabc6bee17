"""The targets of each kind of training set, in the order that pages and commands list them."""

from collections.abc import Mapping, Sequence

from generation.training.recipe import Kind
from generation.training.targets import axolotl, llamafactory, openai, trl
from generation.training.targets.target import Target

# The files of `datasets.load_dataset`, which every other program can read, too; written by generation.training.parquet.
PARQUET = "parquet"
TARGETS: Mapping[Kind, tuple[Target, ...]] = {
    "dialogues": (openai.CHAT, trl.MESSAGES, trl.PROMPTS, llamafactory.SHAREGPT, axolotl.CHAT_TEMPLATE),
    "preferences": (openai.PREFERENCES, trl.PREFERENCES, llamafactory.RANKING, axolotl.PREFERENCES),
}
NAMES = tuple(dict.fromkeys([PARQUET, *(target.name for targets in TARGETS.values() for target in targets)]))


class UnknownTargetError(ValueError):
    """A target that a set of this kind does not have; the text says which it has."""


def chosen(kind: Kind, names: Sequence[str]) -> tuple[Target, ...]:
    """The targets of these names, all of them if none is named; Parquet is none of them. Raises UnknownTargetError."""
    known = TARGETS[kind]
    if unknown := [name for name in names if name not in names_of(kind)]:
        listed = ", ".join(names_of(kind))
        raise UnknownTargetError(f"A set of {kind} has no target {unknown[0]!r}. It has {listed}.")
    return tuple(target for target in known if target.name in names) if names else known


def names_of(kind: Kind) -> tuple[str, ...]:
    return (PARQUET, *(target.name for target in TARGETS[kind]))
