"""A study and one of its items, as shown to a rater."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext

from annotation.models import Assignment, Item, Membership
from annotation.rating import rater_stage
from annotation.rating.answers import FLAGS, shown_answer
from annotation.rating.blinding.scenes import Question, Scene, assignment_scene, questions
from annotation.rating.pace import Pace, pace
from annotation.rating.queue import latest_answer


@dataclass(frozen=True, slots=True)
class BlindStudy:
    """A study as its raters see it."""

    token: str
    name: str
    guidelines: str
    is_open: bool
    is_paused: bool
    has_ended: bool
    is_simulated: bool
    # About the whole study: about one dialogue it would reveal the version.
    has_demo_text: bool
    compares: bool
    has_chats: bool
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
    # What an attention check asks the rater to do; empty for every other item.
    instruction: str
    is_practice: bool
    previous_token: str | None
    # The previous item, if its submit can still be undone.
    undo_token: str | None
    study: BlindStudy


def blind_study(membership: Membership, *, done: int | None = None) -> BlindStudy:
    """`done` is the number of items the rater has scored, if the caller knows it."""
    study = membership.study
    return BlindStudy(
        token=membership.token,
        name=study.public_name,
        guidelines=study.guidelines,
        is_open=study.is_open,
        is_paused=study.is_paused,
        has_ended=not membership.is_ongoing,
        is_simulated=study.is_simulated,
        has_demo_text=bool(study.selection.get("demo")),
        compares=study.compares,
        has_chats=study.has_chats,
        pace=pace(membership, done),
    )


def blind_item(assignment: Assignment, membership: Membership, *, now: datetime) -> BlindItem:
    """A rater's own item with the scores chosen so far: the draft, or else the rating that they would correct."""
    is_practice = assignment.item.purpose == Item.Purpose.TRAINING
    is_open = assignment.state == Assignment.State.OPEN
    before = None if is_practice else assignment.previous_token
    answer = shown_answer(assignment, latest_answer(assignment))
    asked = assignment.item.asked(assignment.study.rubric)
    return BlindItem(
        token=assignment.token,
        submission_id=assignment.submission_id,
        scene=assignment_scene(assignment),
        questions=questions(assignment.study, asked, answer.scores, answer),
        comment=answer.comment,
        flag=answer.flag,
        flags={flag: gettext(words) for flag, words in FLAGS.items()},
        draft_version=assignment.draft_version,
        is_submitted=assignment.state == Assignment.State.SUBMITTED,
        can_skip=is_open and not is_practice,
        instruction=assignment.item.note if assignment.item.purpose == Item.Purpose.ATTENTION else "",
        is_practice=is_practice,
        previous_token=before,
        undo_token=before if is_open and rater_stage.is_fresh(assignment.previous_rated_at, now=now) else None,
        study=blind_study(membership, done=assignment.items_scored),
    )
