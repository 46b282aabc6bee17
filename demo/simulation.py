"""Ratings by a seeded model instead of people, for demos and rehearsals; marked as such wherever they appear.

`drawn_scores` has the model of a score and of a preference. Seconds an item are log-normal around 45. Everything
follows from the seed; nothing is evidence about any dialogue.
"""

import random
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Avg
from django.utils import timezone

from annotation.design.drafting import DesignError
from annotation.models import Assignment, Membership, Profile, Score, Study
from annotation.people import memberships
from annotation.rating import queue, rater_stage, system_preferences
from annotation.rating.answers import Answer
from annotation.roles import Role
from demo.chat_simulation import hold_chat
from demo.drawn_scores import DrawnValues
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

LEAN = 0.25
SECONDS, SECONDS_SPREAD = 45.0, 0.35
# A rater's mean stays below the first over so many items and the second more.
SLOWEST, SPARE = timedelta(seconds=60), 10


def simulate(*, study: Study, raters: int = 3, seed: int = 1, by: User | None = None) -> int:
    """Let invented raters score an open simulated study to its end, through the raters' own queue.

    Raters take turns, so a study with k raters an item fills evenly. In a study of chats they chat first; of a pair
    they prefer one dialogue, or neither. Gives the number of ratings made; running it again makes none. Raises
    DesignError for a study of people, and NoReplyError where a system does not answer; what was scored until then
    stays.
    """
    if not study.is_simulated:
        raise DesignError("Only a study marked as simulated can be filled by the simulator.")
    if not study.is_open:
        raise DesignError("Launch the study first; a closed one stays as it is.")
    # Chats are written by other connections, so each of their scores is stored at once; all others together.
    with nullcontext() if study.has_chats else transaction.atomic():
        made = _fill(study, raters, seed, by)
        AuditEvent.record(by, AuditVerb.RATINGS_SIMULATED, study, seed=seed, raters=raters, ratings=made)
    return made


def _fill(study: Study, raters: int, seed: int, by: User | None) -> int:
    model = DrawnValues.of(study, seed)
    busy = [_Rater.made(study, number, seed, by) for number in range(1, raters + 1)]
    made = 0
    while busy:
        busy = [rater for rater in busy if rater.rate_one(model)]
        made += len(busy)
    return made


@dataclass(slots=True)
class _Rater:
    membership: Membership
    rng: random.Random
    lean: float
    at: datetime

    @classmethod
    def made(cls, study: Study, number: int, seed: int, by: User | None) -> "_Rater":
        user = simulated_rater(study, number)
        memberships.join(study=study, rater=user, by=by)
        membership = Membership.objects.select_related("study__rubric", "rater").get(study=study, rater=user)
        _practise(membership)
        rng = random.Random(f"{seed}:{number}")  # noqa: S311 - repeatable
        # Long enough ago that the last answer is not in the future; chats take their time now.
        items = 0 if study.has_chats else int(study.selection.get("items", 0)) + SPARE
        return cls(membership, rng, rng.gauss(0, LEAN), timezone.now() - items * SLOWEST)

    def rate_one(self, model: DrawnValues) -> bool:
        """Score the next item; False if there is none."""
        assignment = queue.next_assignment(self.membership, now=self.at)
        if assignment is None:
            self._prefer()
            return False
        if self.membership.study.has_chats:
            hold_chat(assignment)
            self.at = timezone.now()
        else:
            self.at += timedelta(seconds=self.rng.lognormvariate(0, SECONDS_SPREAD) * SECONDS)
        queue.submit(
            self.membership.rater,
            assignment.token,
            submission_id=assignment.submission_id,
            answer=Answer(self._scores(model, assignment)),
            now=self.at,
        )
        # The checks may have ended their part with it.
        self.membership.refresh_from_db(fields=["screened_out_at"])
        return True

    def _prefer(self) -> None:
        """Answer, if the study asks, for the system whose chats they scored higher."""
        if not system_preferences.is_due(self.membership):
            return
        first, second = (
            Score.objects.filter(rating__is_current=True, rating__assignment__chats__in=met.chats).aggregate(
                mean=Avg("value")
            )["mean"]
            for met in system_preferences.met_systems(self.membership)
        )
        choice = "same" if first == second else "first" if first > second else "second"
        system_preferences.record(membership=self.membership, choice=choice, comment="")

    def _scores(self, model: DrawnValues, assignment: Assignment) -> dict[str, int]:
        asked = assignment.item.asked(self.membership.study.rubric)
        return {metric.key: model.answer(self.rng, self.lean, assignment, metric) for metric in asked}


def _practise(membership: Membership) -> None:
    """Score the training items as expected where training is marked, as nobody else gets to the rated ones."""
    study, now = membership.study, timezone.now()
    if study.least_passed is None or membership.trained_at is not None:
        return
    middle = 0 if study.compares else (study.rubric.scale_low + study.rubric.scale_high) // 2
    for lesson in rater_stage.lessons(membership):
        known = lesson.item.expects(study.rubric)
        scores = {metric.key: known.get(metric.key, middle) for metric in lesson.item.asked(study.rubric)}
        queue.submit(membership.rater, lesson.token, submission_id=lesson.submission_id, answer=Answer(scores), now=now)
    rater_stage.finish_practice(membership=membership, now=now)


def simulated_rater(study: Study, number: int) -> User:
    """An account without log-in, whose profile marks it as simulated."""
    name = f"simulated-{study.pk}-{number}"
    user, is_new = User.objects.get_or_create(username=name, defaults={"is_active": False})
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get(name=Role.RATER.value))
        Profile.objects.create(user=user, pseudonym=name, is_simulated=True)
    return user
