"""What is scored and on which scale: one text for human raters and for the judge (paper §4.4)."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """One question about a dialogue.

    `points` are the words for each point of the scale, lowest first; empty where only the ends are named.
    """

    key: str
    name: str
    definition: str
    low: str
    high: str
    points: tuple[str, ...] = ()
    # Version slugs for which tables print a dash (paper Table 3: On-topic and On-persona have none for α).
    dash_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    low: int
    high: int

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def values(self) -> range:
        return range(self.low, self.high + 1)


INTERESTING = Metric(
    "interesting",
    "Interesting",
    "How much the dialogue holds your interest. If its overall sentiment is negative, choose the lowest point.",
    "dull, or negative in sentiment",
    "hard to stop reading",
    ("dull or negative", "slightly interesting", "fairly interesting", "interesting", "very interesting"),
)
INFORMATIVE = Metric(
    "informative",
    "Informative",
    "How much the two people tell each other: facts, plans, reasons, experiences.",
    "says almost nothing",
    "rich in content",
    ("almost nothing", "a little", "a fair amount", "a lot", "very rich"),
)
NATURAL = Metric(
    "natural",
    "Natural",
    "Whether two people could have written this to each other in a chat.",
    "clearly artificial",
    "just like people chatting",
    ("clearly artificial", "mostly artificial", "mixed", "mostly natural", "entirely natural"),
)
ENGAGING = Metric(
    "engaging",
    "Engaging",
    "Whether what each one says makes the other want to go on talking.",
    "neither would go on",
    "both want to go on",
    ("neither would go on", "barely", "somewhat", "mostly", "both want to go on"),
)
ON_TOPIC = Metric(
    "on_topic",
    "On-topic",
    "Whether the dialogue stays with the theme shown beside it.",
    "off the theme",
    "on the theme throughout",
    ("off the theme", "touches it", "partly on it", "mostly on it", "on it throughout"),
    ("alpha",),
)
ON_PERSONA = Metric(
    "on_persona",
    "On-persona",
    "Whether what each person says fits the character shown beside it.",
    "contradicts the characters",
    "fits both characters",
    ("contradicts them", "fits poorly", "fits partly", "mostly fits", "fits both"),
    ("alpha",),
)

PAPER_SIX = (INTERESTING, INFORMATIVE, NATURAL, ENGAGING, ON_TOPIC, ON_PERSONA)
CHAT_FOUR = (INTERESTING, INFORMATIVE, NATURAL, ENGAGING)
HUMAN_SCALE = Scale(1, 5)
JUDGE_SCALE = Scale(0, 100)


def to_json(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    return [asdict(metric) for metric in metrics]


def from_json(rows: list[dict[str, Any]]) -> tuple[Metric, ...]:
    return tuple(Metric(**{**row, "points": tuple(row["points"]), "dash_for": tuple(row["dash_for"])}) for row in rows)
