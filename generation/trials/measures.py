"""What a trial measures in a dialogue, and how the numbers are written. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    digits: int = 2
    share: bool = False

    def words(self, value: float) -> str:
        return f"{value:.1%}" if self.share else f"{value:.{self.digits}f}"

    def signed(self, value: float) -> str:
        """With a sign; shares in percentage points."""
        text = f"{value * 100:+.1f} points" if self.share else f"{value:+.{max(1, self.digits)}f}"
        return text.replace("-", "\N{MINUS SIGN}")


FIGURES: Mapping[str, Figure] = {
    "messages": Figure("Messages", 0),
    "words": Figure("Words a message"),
    "acmc": Figure("ACMC"),
    "longest": Figure("Longest turn", 0),
    "kept": Figure("γ’s words kept", share=True),
    "invented": Figure("Words invented", share=True),
}


def mean_words(figure: Figure, values: Sequence[float | None]) -> str:
    """The mean in words; a dash if there are no values."""
    known = [value for value in values if value is not None]
    precise = Figure(figure.label, max(1, figure.digits), figure.share)
    return precise.words(fmean(known)) if known else "–"
