"""The plain values that raters see before, between and after their items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from annotation.models import Assignment, Membership, Rating, Study
from annotation.rating import rater_stage
from annotation.rating.answers import FLAGS, Answer, shown_answer
from annotation.rating.arithmetic import missed
from annotation.rating.blinding.items import BlindStudy, blind_study
from annotation.rating.blinding.scenes import Scene, assignment_scene, questions
from annotation.rating.pace import Pace
from annotation.rating.practice import practice_of
from annotation.rating.queue import answer_of

SCREENED_OUT, FAILED_TRAINING = "screened out", "failed training"


@dataclass(frozen=True, slots=True)
class PassMark:
    """At least so many of the practice dialogues must be scored as expected at the first try."""

    least: int
    dialogues: int
    # How many the rater has scored as expected so far.
    passed: int

    @property
    def spare(self) -> int:
        """How many may be missed."""
        return self.dialogues - self.least


@dataclass(frozen=True, slots=True)
class BlindWelcome:
    """What a rater reads before the first item, and can read again later."""

    study: BlindStudy
    consent: str
    # SHA-256 of the consent text; agreeing sends it back, so nobody agrees to a text that they have not seen.
    fingerprint: str
    must_agree: bool
    agreed_at: datetime | None
    pay: str
    minutes: int | None
    has_practice: bool
    pass_mark: PassMark | None
    keeps_scores: bool
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Lesson:
    """One practice dialogue in their list."""

    token: str
    number: int
    is_done: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """One metric of a practice dialogue: the chosen and the expected point, and the tolerance."""

    name: str
    chosen: str
    expected: str
    tolerance: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class BlindFeedback:
    study: BlindStudy
    token: str
    scene: Scene
    verdicts: tuple[Verdict, ...]
    note: str
    has_pass_mark: bool


@dataclass(frozen=True, slots=True)
class RatedRow:
    """One rated item in the rater's own list, numbered in the order in which they saw them."""

    token: str
    number: int
    at: datetime
    scores: tuple[str, ...]
    flag: str
    has_comment: bool


@dataclass(frozen=True, slots=True)
class RatedPage:
    study: BlindStudy
    metrics: tuple[str, ...]
    rows: tuple[RatedRow, ...]


@dataclass(frozen=True, slots=True)
class BlindEnd:
    """Why there is nothing to rate now, and the completion code that the rater may need for their pay."""

    study: BlindStudy
    reason: str
    # Of a rater who failed the training.
    pass_mark: PassMark | None
    # Whether the rater has done everything there was to do.
    has_done_theirs: bool
    code: str
    skipped: tuple[str, ...]
    last_token: str | None
    undo_token: str | None


def blind_welcome(membership: Membership) -> BlindWelcome:
    study = membership.study
    return BlindWelcome(
        study=blind_study(membership),
        consent=study.consent_text,
        fingerprint=rater_stage.consent_fingerprint(study),
        must_agree=rater_stage.must_agree(membership),
        agreed_at=membership.consented_at,
        pay=study.pay_note,
        minutes=study.minutes_estimate,
        has_practice=membership.has_practice,
        pass_mark=_pass_mark(membership),
        keeps_scores=study.withdrawal == Study.Withdrawal.KEEP,
        is_begun=membership.assignments.filter(opened_at__isnull=False).exists(),
    )


def _pass_mark(membership: Membership) -> PassMark | None:
    least = membership.study.least_passed
    if least is None:
        return None
    found = practice_of(membership)
    return PassMark(least, found.items, found.passed)


def blind_lessons(lessons: Sequence[Assignment]) -> list[Lesson]:
    done = Assignment.State.SUBMITTED
    return [Lesson(lesson.token, number, lesson.state == done) for number, lesson in enumerate(lessons, 1)]


def blind_feedback(assignment: Assignment, membership: Membership, rating: Rating) -> BlindFeedback:
    """Feedback on a practice item. Call it for no other item, since it reveals the expected scores."""
    item = assignment.item
    asked = item.asked(assignment.study.rubric)
    chosen = shown_answer(assignment, answer_of(rating)).scores
    expected = shown_answer(assignment, Answer(item.expects(assignment.study.rubric))).scores
    labels = {
        question.key: {point.value: point.label for point in question.points}
        for question in questions(assignment.study, asked, {})
    }
    return BlindFeedback(
        study=blind_study(membership),
        token=assignment.token,
        scene=assignment_scene(assignment),
        verdicts=tuple(
            Verdict(
                name=metric.name,
                chosen=labels[metric.key].get(chosen.get(metric.key, 0), "–"),
                expected=labels[metric.key].get(expected[metric.key], str(expected[metric.key])),
                tolerance=item.tolerance,
                is_right=metric.key not in missed(chosen, expected, item.tolerance),
            )
            for metric in asked
            if metric.key in expected
        ),
        note=item.note,
        has_pass_mark=assignment.study.least_passed is not None,
    )


def blind_rated(membership: Membership, ratings: Sequence[Rating], first_number: int) -> RatedPage:
    """The rater's own ratings, newest first, numbered downwards from `first_number`."""
    study = membership.study
    asked = questions(study, study.rubric.metric_list(), {})
    rows = []
    for number, rating in zip(range(first_number, 0, -1), ratings, strict=False):
        scores = shown_answer(rating.assignment, answer_of(rating)).scores
        labels = [
            next((point.label for point in question.points if point.value == scores.get(question.key)), "–")
            for question in asked
        ]
        flag = gettext(FLAGS.get(rating.flag, ""))
        said = bool(rating.comment or any(score.comment for score in rating.scores.all()))
        rows.append(RatedRow(rating.assignment.token, number, rating.created_at, tuple(labels), flag, said))
    return RatedPage(blind_study(membership), tuple(question.name for question in asked), tuple(rows))


def blind_end(membership: Membership, *, others_hold_slots: bool, now: datetime) -> BlindEnd:
    """The page after the last item, or when there is no next item for another reason."""
    study = membership.study
    skipped = membership.assignments.filter(state=Assignment.State.SKIPPED, study__raters_per_item__isnull=True)
    tokens = tuple(skipped.values_list("token", flat=True))
    rated = Assignment.objects.filter(membership=membership, state=Assignment.State.SUBMITTED).past_practice()
    last = rated.order_by("-opened_at").first()
    shown = blind_study(membership)
    reason = _reason(membership, others_hold_slots=others_hold_slots, skipped=bool(tokens))
    is_done = _has_done_theirs(reason, shown.pace)
    return BlindEnd(
        study=shown,
        reason=reason,
        pass_mark=_pass_mark(membership) if reason == FAILED_TRAINING else None,
        has_done_theirs=is_done,
        code=_code(study, reason, is_done),
        skipped=tokens,
        last_token=last.token if last else None,
        undo_token=last.token if last and study.is_open and rater_stage.can_take_back(last, now=now) else None,
    )


def _reason(membership: Membership, *, others_hold_slots: bool, skipped: bool) -> str:
    study = membership.study
    if membership.screened_out_at:
        return FAILED_TRAINING if membership.failed_training else SCREENED_OUT
    if not membership.is_ongoing:
        return "ended"
    if study.is_paused:
        return "paused"
    if not study.is_open:
        return "closed"
    return "wait" if others_hold_slots else "skipped" if skipped else "all rated"


def _has_done_theirs(reason: str, pace: Pace) -> bool:
    is_over = reason in ("closed", "skipped", "all rated") or (reason == "wait" and pace.done >= pace.total)
    return bool(pace.done) and is_over


def _code(study: Study, reason: str, has_done_theirs: bool) -> str:
    """The study's code for this reason, if it has one and the rater has done everything there was to do."""
    if reason in (SCREENED_OUT, FAILED_TRAINING):
        return study.screen_out_code
    return study.completion_code if has_done_theirs else ""
