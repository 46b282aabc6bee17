"""What is scored and on which scale: one text for human raters and for the judge (paper §4.4)."""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from dialogues.transcript import text_problem

# A metric's name in files and forms.
KEY = re.compile(r"[a-z][a-z0-9_]*")
MOST_POINTS = 21
FURTHEST = 100


@dataclass(frozen=True, slots=True)
class Metric:
    """One question about a dialogue.

    `points` are the words for each point of the scale, lowest first; empty if only the ends are named. `asked_for` are
    the version slugs it is asked about, empty for all. Asking less about some versions shows raters which items are of
    those.
    """

    key: str
    name: str
    definition: str
    low: str
    high: str
    points: tuple[str, ...] = ()
    # Version slugs for which tables print a dash (paper Table 3: On-topic and On-persona have none for α).
    dash_for: tuple[str, ...] = ()
    asked_for: tuple[str, ...] = ()

    def is_asked_for(self, *versions: str) -> bool:
        """Whether it is asked about a dialogue of this version, or about a pair of these versions."""
        return not self.asked_for or all(version in self.asked_for for version in versions)


@dataclass(frozen=True, slots=True)
class Scale:
    low: int
    high: int

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def values(self) -> range:
        return range(self.low, self.high + 1)

    @property
    def reach(self) -> int:
        """How far apart two scores can be."""
        return self.high - self.low


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


def has_the_papers_words(metric: Metric) -> bool:
    """Whether it asks one of the paper's six questions in the words of the rubric that ships.

    Hidden cells and the versions it is asked about do not change the question.
    """
    bare = replace(metric, dash_for=(), asked_for=())
    return any(bare == replace(one, dash_for=()) for one in PAPER_SIX)


def asks_the_same(metric: Metric, other: Metric) -> bool:
    """Whether both put one question in the same words; the words for points belong to a scale, not to the question."""
    return all(getattr(metric, name) == getattr(other, name) for name in ("key", "name", "definition", "low", "high"))


def is_the_papers(metric: Metric, scale: Scale) -> bool:
    """Whether people's scores are comparable with the paper's: the same question on the same scale."""
    return scale == HUMAN_SCALE and has_the_papers_words(metric)


def to_json(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    return [asdict(metric) for metric in metrics]


def from_json(rows: list[dict[str, Any]]) -> tuple[Metric, ...]:
    lists = ("points", "dash_for", "asked_for")
    return tuple(Metric(**{**row, **{name: tuple(row.get(name, ())) for name in lists}}) for row in rows)


def problems_of(metrics: tuple[Metric, ...], scale: Scale) -> list[str]:
    """Problems of these metrics, a sentence each; rows may hold any JSON."""
    found = []
    if not (_is_whole(scale.low) and _is_whole(scale.high) and 1 <= scale.reach <= MOST_POINTS - 1):
        return [f"A scale ascends in whole numbers and has 2 to {MOST_POINTS} points."]
    if abs(scale.low) > FURTHEST or abs(scale.high) > FURTHEST:
        found.append(f"A scale lies between {-FURTHEST} and {FURTHEST}.")
    if not metrics:
        found.append("A rubric needs at least one question.")
    for number, metric in enumerate(metrics, 1):
        if problem := _problem(metric, scale):
            found.append(f"Question {number}: {problem}")
    keys = [metric.key for metric in metrics if isinstance(metric.key, str)]
    return [*found, *(f"Two questions have the key {key!r}." for key in sorted({k for k in keys if keys.count(k) > 1}))]


def _problem(metric: Metric, scale: Scale) -> str | None:
    texts = ((metric.name, 60), (metric.definition, 1000), (metric.low, 120), (metric.high, 120))
    if not isinstance(metric.key, str) or not KEY.fullmatch(metric.key) or len(metric.key) > 40:
        return "a key begins with a small letter and holds small letters, digits and _ only, at most 40."
    if not all(_is_text(text, most) for text, most in texts):
        return "name, definition, low and high are texts, and none is empty."
    lists = (metric.points, metric.dash_for, metric.asked_for)
    if not all(_is_text(text, 300) for texts in lists for text in texts):
        return "points, dash_for and asked_for are lists of texts."
    if metric.points and len(metric.points) != len(scale.values()):
        return f"the scale has {len(scale.values())} points, and {len(metric.points)} have words."
    return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= most and not text_problem(value)
