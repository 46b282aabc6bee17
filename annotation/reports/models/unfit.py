"""Why a model cannot be had from the ratings that there are. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unfit:
    """The reason, as one sentence for the reader of a report."""

    reason: str
