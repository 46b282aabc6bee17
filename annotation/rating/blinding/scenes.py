"""Dialogues and questions as a rater sees them: plain values, with messages numbered from 1."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from annotation.chats.log import transcript
from annotation.chats.places import conversation_at
from annotation.models import Assignment, Study
from annotation.rating.answers import Answer, scale_of
from dialogues.display import ShownTurn, tidied, turns_for_template
from dialogues.models import Dialogue
from dialogues.rubric import Metric
from dialogues.transcript import Transcript

NAMES = (_("Person A"), _("Person B"))
OF_CHATS = (_("You"), _("The other side"))
# The words for the scores −1, 0 and 1 of a pair.
SIDES = (_("Left"), _("Same"), _("Right"))
SIDE_WORDS = (_("left is better"), _("no difference"), _("right is better"))


@dataclass(frozen=True, slots=True)
class Point:
    value: int
    word: str
    chosen: bool
    label: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One metric as a rater sees it; `points` from lowest to highest."""

    key: str
    name: str
    definition: str
    low: str
    high: str
    points: tuple[Point, ...]
    comment: str = ""
    # The numbers of the marked messages, from 1.
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A dialogue with its background's theme and characters, which are the same for all versions.

    In a pair `turns` is the left dialogue and `right` the other.
    """

    turns: list[ShownTurn]
    theme: str
    traits_1: tuple[str, ...]
    traits_2: tuple[str, ...]
    names: tuple[str, str]
    right: list[ShownTurn] = field(default_factory=list)
    # Of a chat, in which the rater was the first of the two and knows only their own character.
    is_own: bool = False

    @property
    def sides(self) -> list["Side"]:
        """The one or two dialogues, with messages numbered from 1 through both."""
        if not self.right:
            return [Side("", "", self.turns)]
        before = sum(len(turn["messages"]) for turn in self.turns)
        return [
            Side("left", gettext(SIDES[0]), self.turns),
            Side("right", gettext(SIDES[2]), self.right, before + 1),
        ]


@dataclass(frozen=True, slots=True)
class Side:
    """One dialogue on a rating page; in a pair `label` names its side for people and `key` for scripts."""

    key: str
    label: str
    turns: list[ShownTurn]
    # The number of its first message.
    first: int = 1


def assignment_scene(assignment: Assignment) -> Scene:
    """The item's one or two dialogues, on the sides that this rater sees."""
    item = assignment.item
    if assignment.study.has_chats:
        return _chat_scene(assignment)
    tidy = assignment.study.tidy_display
    first, second = item.dialogue, item.other
    if second is not None and assignment.is_flipped:
        first, second = second, first
    return scene(first, item.theme, item.traits_1, item.traits_2, tidy=tidy, right=second)


def _chat_scene(assignment: Assignment) -> Scene:
    """The rater's own chat, word for word, and their own character: the other side's was never theirs to know."""
    item, names = assignment.item, (gettext(OF_CHATS[0]), gettext(OF_CHATS[1]))
    said = transcript(conversation_at(assignment).bubbles)
    return Scene(
        turns=turns_for_template(Transcript.of(said), names) if said else [],
        theme=item.theme,
        traits_1=tuple(item.traits_1),
        traits_2=(),
        names=names,
        is_own=True,
    )


def scene(
    dialogue: Dialogue,
    theme: str,
    traits_1: list[str],
    traits_2: list[str],
    *,
    tidy: bool,
    right: Dialogue | None = None,
) -> Scene:
    """`theme` and traits are those of the background; a dialogue's own might differ and reveal its version."""
    show = tidied if tidy else str
    names = (gettext(NAMES[0]), gettext(NAMES[1]))
    return Scene(
        turns=turns_for_template(dialogue.transcript, names, tidy=tidy),
        theme=theme,
        traits_1=tuple(map(show, traits_1)),
        traits_2=tuple(map(show, traits_2)),
        right=turns_for_template(right.transcript, names, tidy=tidy) if right else [],
        names=names,
    )


def questions(
    study: Study, asked: Iterable[Metric], scores: Mapping[str, int], answer: Answer | None = None
) -> tuple[Question, ...]:
    """The questions with the chosen points marked, and each question's note and evidence."""
    said = answer or Answer()
    compares, values = study.compares, scale_of(study).values()
    found = []
    for metric in asked:
        words = metric.points if len(metric.points) == len(values) else ("",) * len(values)
        low, high = metric.low, metric.high
        if compares:
            words, low, high = tuple(map(gettext, SIDE_WORDS)), "", ""
        chosen = scores.get(metric.key)
        found.append(
            Question(
                key=metric.key,
                name=metric.name,
                definition=metric.definition,
                low=low,
                high=high,
                points=tuple(
                    Point(value, word, chosen == value, gettext(SIDES[value + 1]) if compares else str(value))
                    for value, word in zip(values, words, strict=True)
                ),
                comment=said.comments.get(metric.key, ""),
                evidence=tuple(place + 1 for place in said.evidence.get(metric.key, [])),
            )
        )
    return tuple(found)
