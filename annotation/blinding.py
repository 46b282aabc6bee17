"""The only builder of what a rater may see: a whitelist of plain values, never a model.

Rater pages and answers are made from these values and nothing else. No version, writer, corpus, file or key, and no
number that counts rows, is among them; whatever else a dialogue or a study comes to hold stays out by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from annotation.models import Assignment, Item, Membership, Study
from annotation.rating.answers import FLAGS
from annotation.rating.queue import latest_answer, previous
from annotation.studies.progress import Pace, pace
from dialogues.display import ShownTurn, tidied, turns_for_template
from dialogues.models import Dialogue, Rubric
from dialogues.rubric import Metric

NAMES = ("Person A", "Person B")
# What each score of a pair says.
SIDES = {-1: ("Left", "left is better"), 0: ("Same", "no difference"), 1: ("Right", "right is better")}


@dataclass(frozen=True, slots=True)
class Point:
    value: int
    word: str
    chosen: bool
    label: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One metric as a rater reads it; `points` from the lowest to the highest."""

    key: str
    name: str
    definition: str
    low: str
    high: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A dialogue with the theme and characters beside it: the same for all versions of a background.

    In a pair `turns` stand left and `right` beside them.
    """

    turns: list[ShownTurn]
    theme: str
    traits_1: tuple[str, ...]
    traits_2: tuple[str, ...]
    names: tuple[str, str] = NAMES
    right: list[ShownTurn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BlindStudy:
    """A study as its raters know it."""

    token: str
    name: str
    guidelines: str
    is_open: bool
    is_simulated: bool
    # Said of the study as a whole: said of one dialogue it would unblind it.
    has_demo_text: bool
    pace: Pace


@dataclass(frozen=True, slots=True)
class BlindItem:
    """Everything on a rating page; `token` and `previous_token` are unguessable."""

    token: str
    submission_id: UUID
    scene: Scene
    questions: tuple[Question, ...]
    comment: str
    flag: str
    flags: Mapping[str, str]
    draft_version: int
    is_submitted: bool
    can_skip: bool
    previous_token: str | None
    study: BlindStudy


def blind_study(membership: Membership) -> BlindStudy:
    study = membership.study
    return BlindStudy(
        token=membership.token,
        name=study.public_name,
        guidelines=study.guidelines,
        is_open=study.is_open,
        is_simulated=study.is_simulated,
        has_demo_text=bool(study.selection.get("demo")),
        pace=pace(membership),
    )


def blind_item(assignment: Assignment, membership: Membership) -> BlindItem:
    """A rater's own item, with the scores they chose so far: the draft, else the rating it would correct."""
    before = previous(assignment)
    answer = latest_answer(assignment)
    return BlindItem(
        token=assignment.token,
        submission_id=assignment.submission_id,
        scene=item_scene(assignment.item, assignment.study),
        questions=questions(assignment.study.rubric, answer.scores),
        comment=answer.comment,
        flag=answer.flag,
        flags=FLAGS,
        draft_version=assignment.draft_version,
        is_submitted=assignment.state == Assignment.State.SUBMITTED,
        can_skip=assignment.state == Assignment.State.OPEN,
        previous_token=before.token if before else None,
        study=blind_study(membership),
    )


def item_scene(item: Item, study: Study) -> Scene:
    return scene(item.dialogue, item.theme, item.traits_1, item.traits_2, tidy=study.tidy_display)


def scene(
    dialogue: Dialogue,
    theme: str,
    traits_1: list[str],
    traits_2: list[str],
    *,
    tidy: bool,
    right: Dialogue | None = None,
) -> Scene:
    """`theme` and traits are the background's, passed in so that a dialogue's own can never differ from them."""
    show = tidied if tidy else str
    return Scene(
        turns=turns_for_template(dialogue.transcript, NAMES, tidy=tidy),
        theme=theme,
        traits_1=tuple(map(show, traits_1)),
        traits_2=tuple(map(show, traits_2)),
        right=turns_for_template(right.transcript, NAMES, tidy=tidy) if right else [],
    )


def questions(rubric: Rubric, scores: Mapping[str, int], *, compares: bool = False) -> tuple[Question, ...]:
    """The rubric's metrics with the chosen points marked; in a study of pairs the points are the two sides."""
    found = []
    for metric in rubric.metric_list():
        points = SIDES if compares else _points(rubric, metric)
        found.append(
            Question(
                key=metric.key,
                name=metric.name,
                definition=metric.definition,
                low="" if compares else metric.low,
                high="" if compares else metric.high,
                points=tuple(
                    Point(value, word, scores.get(metric.key) == value, label)
                    for value, (label, word) in points.items()
                ),
            )
        )
    return tuple(found)


def _points(rubric: Rubric, metric: Metric) -> dict[int, tuple[str, str]]:
    values = rubric.scale.values()
    words = metric.points if len(metric.points) == len(values) else ("",) * len(values)
    return {value: (str(value), word) for value, word in zip(values, words, strict=True)}
