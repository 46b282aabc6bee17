"""Ratings by a seeded model instead of people, for demos and rehearsals; marked as such wherever they appear.

The model of one score, before it is rounded to the rubric's scale:

    quality(version, metric) + lean(rater) + charm(background, metric) + noise

quality is the paper's Table 3 mean, mapped from its scale of 1 to 5; a version or metric without one takes the mean
of what the table has. lean ~ N(0, 0.25), charm ~ N(0, 0.45) and noise ~ N(0, 0.55), in points of the 1–5 scale.
Seconds an item are log-normal around 45. Everything follows from the seed; nothing is evidence about any dialogue.
"""

import random
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Avg
from django.utils import timezone

from annotation.design.drafting import DesignError
from annotation.models import Assignment, Membership, Profile, Score, Study
from annotation.people import memberships
from annotation.rating import queue, system_preferences
from annotation.rating.answers import Answer
from annotation.roles import Role
from demo.chat_simulation import hold_chat
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.published import published_tables
from dialogues.rubric import HUMAN_SCALE, Scale

LEAN, CHARM, NOISE = 0.25, 0.45, 0.55
SECONDS, SECONDS_SPREAD = 45.0, 0.35
# A rater's mean stays below the first over so many items and the second more.
SLOWEST, SPARE = timedelta(seconds=60), 10


@dataclass(slots=True)
class ScoreModel:
    """Draws scores; the same seed and the same order of questions give the same scores."""

    seed: int
    scale: Scale
    charms: dict[tuple[int, str], float] = field(default_factory=dict)

    def score(self, rng: random.Random, lean: float, version: str, background: int, metric: str) -> int:
        charm = self.charms.setdefault((background, metric), self._charm(background, metric))
        latent = quality(version, metric) + lean + charm + rng.gauss(0, NOISE)
        share = (latent - HUMAN_SCALE.low) / (HUMAN_SCALE.high - HUMAN_SCALE.low)
        point = round(self.scale.low + share * (self.scale.high - self.scale.low))
        return min(max(point, self.scale.low), self.scale.high)

    def _charm(self, background: int, metric: str) -> float:
        return random.Random(f"{self.seed}:{background}:{metric}").gauss(0, CHARM)  # noqa: S311 - repeatable


def quality(version: str, metric: str) -> float:
    """The mean human rating of the paper's Table 3, 1 to 5; if it has none, the mean of the nearest figures."""
    table = published_tables()[3]
    exact = table.value(metric, version)
    if exact is not None:
        return exact
    place = [column.key for column in table.columns].index(version) if version in _versions() else None
    by_version = [row.values[place] for row in table.rows] if place is not None else []
    by_metric = [value for row in table.rows if row.key == metric for value in row.values]
    near = [value for value in by_version or by_metric or _all_means() if value is not None]
    return sum(near) / len(near)


def simulate(*, study: Study, raters: int = 3, seed: int = 1, by: User | None = None) -> int:
    """Let invented raters score an open simulated study to its end, through the raters' own queue.

    Raters take turns, so a study with k raters an item fills evenly. In a study of chats they chat first. Gives the
    number of ratings made; running it again makes none. Raises DesignError for a study of people, and NoReplyError
    where a system does not answer; what was scored until then stays.
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
    model = ScoreModel(seed, study.rubric.scale)
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
        rng = random.Random(f"{seed}:{number}")  # noqa: S311 - repeatable
        # Long enough ago that the last answer is not in the future; chats take their time now.
        items = 0 if study.has_chats else int(study.selection.get("items", 0)) + SPARE
        return cls(membership, rng, rng.gauss(0, LEAN), timezone.now() - items * SLOWEST)

    def rate_one(self, model: ScoreModel) -> bool:
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

    def _scores(self, model: ScoreModel, assignment: Assignment) -> dict[str, int]:
        item = assignment.item
        version = item.dialogue.version_id
        return {
            metric.key: model.score(self.rng, self.lean, version, item.background_id, metric.key)
            for metric in item.asked(self.membership.study.rubric)
        }


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


def _versions() -> tuple[str, ...]:
    return tuple(column.key for column in published_tables()[3].columns)


def _all_means() -> list[float | None]:
    return [value for row in published_tables()[3].rows for value in row.values]
