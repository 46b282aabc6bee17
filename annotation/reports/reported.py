"""What a report's tables must know of a study: a stored `Study`, or what a bundle holds of one. Pure."""

from collections.abc import Mapping
from typing import Any, Protocol

from dialogues.rubric import Scale


class OnAScale(Protocol):
    """Questions of which a table must know the scale alone."""

    @property
    def scale(self) -> Scale: ...


class Reported(Protocol):
    """The part of a study's design that its tables depend on; the fields are those of `annotation.models.Study`."""

    @property
    def rubric(self) -> OnAScale: ...
    @property
    def is_simulated(self) -> bool: ...
    @property
    def is_imported(self) -> bool: ...
    @property
    def has_chats(self) -> bool: ...
    @property
    def compares(self) -> bool: ...
    @property
    def hidden_repeats(self) -> int: ...
    @property
    def raters_per_item(self) -> int | None: ...
    @property
    def counts_screened_out(self) -> bool: ...
    @property
    def analysis_plan(self) -> Mapping[str, Any]: ...
