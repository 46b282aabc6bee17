"""Random studies for texts about studies: designs × what people do × closings, exclusions and withdrawals."""

import json
import random
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F
from hypothesis import strategies as st

from annotation.chats.plan import ChatPlan
from annotation.design import launch
from annotation.design.drafting import DesignError
from annotation.models import NO_LEASE, Assignment, Membership, Rating, Study
from annotation.monitoring import adjudication, states
from annotation.people import memberships
from annotation.rating import membership_changes, queue, rater_stage
from annotation.rating.answers import Answer
from annotation.reports import unblinding
from generation.endpoints.addresses import base_of
from generation.models import Shutdown
from tests.annotation import chat_studies, imported_files
from tests.annotation.chat_designs import chat_draft
from tests.annotation.setting import NOW, check, corpus, draft, rubric, user

KEYS = ("natural", "engaging")
VERSIONS = ("alpha", "beta", "gamma")
KINDS = ("scores", "scores", "scores", "pairs", "pairs", "chats", "chats", "imported")
RATERS = 4
MOST_STEPS = 24


@dataclass(frozen=True)
class Plan:
    """A design, and what happens to the study once it is launched: (action, which rater or item, point).

    Before that `joined` raters have joined, and each of them has rated `begun` items.
    """

    kind: str
    k: int | None
    versions: int
    sampled: bool
    withdrawal: str
    counts: bool
    simulated: bool
    checked: bool
    consent: bool
    planned: bool
    chats_each: int | None
    joined: int
    begun: int
    steps: tuple[tuple[str, int, int], ...]


# As often as a thing stands here, so often it is drawn.
ACTIONS = (
    *("rate",) * 5, "rate_all", *("correct",) * 2, *("take_back",) * 2, "skip", "join", "know", *("exclude",) * 2,
    *("practise",) * 3, *("reinstate",) * 2, *("screen_out",) * 2, *("withdraw",) * 2, "replace", "deactivate",
    "unblind", "adjudicate", "extend", "add_items", "pause", *("resume",) * 3,
)  # fmt: skip


def plans(*kinds: str) -> st.SearchStrategy[Plan]:
    """Designs of these kinds: scores, pairs, chats, imported. Drawn by a seed, so that all are tried alike often."""
    return st.integers(0, 2**32 - 1).map(lambda seed: drawn(random.Random(seed), kinds))


def drawn(rng: random.Random, kinds: Sequence[str]) -> Plan:
    steps = [(rng.choice(ACTIONS), rng.randrange(RATERS), rng.randint(1, 5)) for _ in range(rng.randint(0, MOST_STEPS))]
    # A study that closes at once is soon tried enough.
    closing = [("close", 0, 0)] if rng.random() < 0.3 else []
    return Plan(
        kind=rng.choice(kinds),
        k=rng.choice([None, 1, 2, 2]),
        versions=rng.randint(2, 3),
        sampled=rng.random() < 0.5,
        withdrawal=rng.choice(["keep", "remove"]),
        counts=rng.random() < 0.5,
        simulated=rng.random() < 0.15,
        checked=rng.random() < 0.5,
        consent=rng.random() < 0.5,
        planned=rng.random() < 0.5,
        chats_each=rng.choice([None, 1, 2]),
        joined=rng.randint(0, 3),
        begun=rng.randint(0, 4),
        steps=(*steps, *closing),
    )


class World:
    """One study, made by its plan; `run` does what the plan says."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.researcher = user("researcher", "researcher")
        self.study = _imported(plan) if plan.kind == "imported" else launch.launch(study=_draft(plan), by=None)
        self.raters = list(self.study.memberships.order_by("pk").values_list("pk", flat=True))
        if plan.kind != "imported":
            for number in range(plan.joined):
                self._join(number)

    def run(self) -> None:
        for which in range(self.plan.joined):
            for turn in range(self.plan.begun):
                self._rate_step(which, 1 + (which + turn) % 4)
        for action, which, point in self.plan.steps:
            do: Callable[[int, int], None] = getattr(self, f"_{action}_step")
            with_refusals(lambda do=do, which=which, point=point: do(which, point))
        self.study.refresh_from_db()

    # --- what people do ------------------------------------------------------------------------

    def _join(self, number: int) -> None:
        person = user(f"rater-{len(self.raters)}")
        member = memberships.join(study=self.study, rater=person, by=None)
        if self.plan.simulated and number != 1:
            person.profile.is_simulated = True
            person.profile.save()
        if self.plan.consent and number != 1:
            rater_stage.agree(membership=member, fingerprint=rater_stage.consent_fingerprint(self.study), now=NOW)
        self.raters.append(member.pk)

    def _join_step(self, which: int, _: int) -> None:
        if len(self.raters) < RATERS and self.plan.kind != "imported":
            self._join(which)

    def _know_step(self, which: int, _: int) -> None:
        """A researcher, who can open the material, rates too."""
        if len(self.raters) < RATERS and self.plan.kind != "imported":
            person = user(f"researcher-{len(self.raters)}", "researcher")
            member = memberships.join(study=self.study, rater=person, by=None, knows_because="There is nobody else.")
            self.raters.append(member.pk)

    def _rate_step(self, which: int, point: int) -> None:
        if rater := self._rater(which):
            self._rate(rater, point)

    def _rate_all_step(self, which: int, point: int) -> None:
        rater = self._rater(which)
        while rater and self._rate(rater, point):
            point = 1 + point % 5
            rater = self._rater(which)

    def _rate(self, rater: Membership, point: int) -> bool:
        if self.plan.kind == "imported":
            return False
        if self.study.has_chats:
            return self._chat(rater, point)
        held = queue.next_assignment(rater, now=NOW)
        if held:
            self._says(held, held.submission_id, point)
        return held is not None

    def _practise_step(self, which: int, point: int) -> None:
        """They score all training items, and again what they have scored."""
        rater = self._rater(which)
        if rater and rater.is_ongoing and self.study.least_passed is not None:
            for lesson in rater_stage.lessons(rater):
                self._says(lesson, uuid.uuid4(), point)
            rater_stage.finish_practice(membership=self._rater(which) or rater, now=NOW)

    def _chat(self, rater: Membership, point: int) -> bool:
        """The tester takes a free place, chats, and scores the chat unless the point is 5."""
        most = self.plan.chats_each
        if not (self.study.is_open and rater.is_ongoing) or (most is not None and rater.turn >= most):
            return False
        mine = rater.assignments.values("item")
        place = Assignment.objects.opened().filter(study=self.study, membership=None).exclude(item__in=mine).first()
        if place is None:
            return False
        Assignment.objects.filter(pk=place.pk).update(membership=rater, opened_at=NOW, lease_until=NO_LEASE)
        Membership.objects.filter(pk=rater.pk).update(turn=F("turn") + 1)
        place.refresh_from_db()
        chat = chat_studies.play(chat_studies.begin(place), chat_studies.SMALL_TALK)
        if point == 5:
            return False
        chat_studies.end(chat, 120)
        chat_studies.score(place, [point] * 4)
        return True

    def _correct_step(self, which: int, point: int) -> None:
        rater = self._rater(which)
        rated = rater.assignments.filter(state=Assignment.State.SUBMITTED).order_by("pk").first() if rater else None
        if rated and not self.study.has_chats:
            self._says(rated, uuid.uuid4(), point)

    def _take_back_step(self, which: int, _: int) -> None:
        rater = self._rater(which)
        last = Rating.objects.filter(assignment__membership=rater).order_by("-pk").first() if rater else None
        if rater and last and not self.study.has_chats:
            queue.take_back(rater.rater, last.assignment.token, now=NOW)

    def _skip_step(self, which: int, _: int) -> None:
        rater = self._rater(which)
        if rater and self.plan.kind in ("scores", "pairs") and (held := queue.next_assignment(rater, now=NOW)):
            queue.skip(rater.rater, held.token, reason="why not")

    def _says(self, held: Assignment, submission_id: uuid.UUID, point: int) -> None:
        rater = Membership.objects.select_related("rater").get(pk=held.membership_id)
        low, points = (-1, 3) if self.study.compares else (1, 5)
        scores = {key: low + (point + place + held.item.position) % points for place, key in enumerate(KEYS)}
        queue.submit(rater.rater, held.token, submission_id=submission_id, answer=Answer(scores), now=NOW)

    # --- what researchers do -------------------------------------------------------------------

    def _exclude_step(self, which: int, _: int) -> None:
        if rater := self._rater(which):
            membership_changes.exclude(membership=rater, reason="a reason", by=None)

    def _reinstate_step(self, which: int, _: int) -> None:
        if rater := self._rater(which):
            membership_changes.reinstate(membership=rater, by=None)

    def _screen_out_step(self, which: int, _: int) -> None:
        rater = self._rater(which)
        if rater and rater.is_ongoing:
            membership_changes.screen_out(membership=rater, lapses=1, now=NOW)

    def _withdraw_step(self, which: int, _: int) -> None:
        rater = self._rater(which)
        if rater and self.plan.kind != "imported":
            membership_changes.withdraw(membership=rater, by=rater.rater)

    def _replace_step(self, which: int, _: int) -> None:
        if rater := self._rater(which):
            membership_changes.replace(membership=rater, by=None)

    def _deactivate_step(self, which: int, _: int) -> None:
        if rater := self._rater(which):
            rater.rater.is_active = False
            rater.rater.save(update_fields=["is_active"])

    def _unblind_step(self, *_: int) -> None:
        unblinding.unblind(study=self.study, by=None, how="on purpose")

    def _adjudicate_step(self, which: int, point: int) -> None:
        metric = self.study.rubric.metric_list()[which % 2].key
        item = self.study.items.filter(purpose="rated").order_by("position")[which % 2]
        value = point % 3 - 1 if self.study.compares else point
        newest = item.adjudications.filter(metric=metric).first()
        seen = newest.pk if newest else 0
        adjudication.settle(item=item, metric=metric, value=value, reason="why", seen=seen, by=self.researcher)

    def _extend_step(self, *_: int) -> None:
        launch.extend(study=self.study, raters_per_item=(self.study.raters_per_item or 0) + 1, by=None)

    def _add_items_step(self, *_: int) -> None:
        launch.add_items(study=self.study, backgrounds=1, by=None)

    def _pause_step(self, *_: int) -> None:
        self.study = states.pause(study=self.study, by=None)

    def _resume_step(self, *_: int) -> None:
        self.study = states.resume(study=self.study, by=None)

    def _close_step(self, *_: int) -> None:
        self.study = states.close(study=self.study, by=None)

    def _rater(self, which: int) -> Membership | None:
        if which >= len(self.raters):
            return None
        found = Membership.objects.select_related("study__rubric", "rater__profile").get(pk=self.raters[which])
        return None if found.withdrawn_at else found


def with_refusals(do: Callable[[], None]) -> None:
    """What is refused changes nothing."""
    refusals = (queue.QueueError, DesignError, membership_changes.MembershipError, adjudication.AdjudicationError)
    try:
        with transaction.atomic():
            do()
    except refusals:
        pass


def _announce_a_shutdown(study: Study) -> None:
    """Of the model of the first system."""
    endpoint = study.systems.select_related("endpoint")[0].endpoint
    Shutdown.objects.create(address=base_of(endpoint.base_url), model=endpoint.model, day=date(2027, 1, 6), told_at=NOW)


def _draft(plan: Plan) -> Study:
    fields: dict[str, Any] = {
        "withdrawal": plan.withdrawal,
        "counts_screened_out": plan.counts,
        "is_simulated": plan.simulated,
        "background_count": 2 if plan.sampled else None,
        "most_lapses": 1 if plan.checked else None,
        "least_passed": 1 if plan.checked and plan.kind == "scores" else None,
    }
    if plan.consent:
        fields |= {"consent_text": "I agree.", "approval_number": "Board 7", "recruitment": "By a notice."}
        fields |= {"pay_note": "12 an hour!", "retention": "Ten years", "minutes_estimate": 20, "break_every": 1}
    if plan.kind == "chats":
        return _chat_draft(plan, fields)
    versions = VERSIONS[: plan.versions]
    if plan.kind == "pairs":
        fields |= {"kind": "pairs", "pairs": [["alpha", "beta"], *([["beta", "gamma"]] if plan.versions == 3 else [])]}
    if plan.planned:
        fields["analysis_plan"] = _analysis_plan(plan, backgrounds=2 if plan.sampled else 3 if plan.checked else 4)
    made = draft(plan.k, of=corpus(4, versions), versions=versions, rubric=rubric(*KEYS), **fields)
    if plan.counts:
        made.corpus.dialogues.filter(key="d1-beta").update(is_demo=True)
    if plan.checked:
        _add_checks(plan, made)
    return made


def _chat_draft(plan: Plan, fields: dict[str, Any]) -> Study:
    asks = plan.counts and plan.chats_each != 1
    chats = ChatPlan(chats_each=plan.chats_each, practice=plan.checked, asks_preference=asks, minutes=0)
    made = chat_draft(plan.k or 1, of=corpus(3), chat_plan=chats.as_json(), **fields)
    if plan.planned:
        _announce_a_shutdown(made)
    return made


def _add_checks(plan: Plan, made: Study) -> None:
    """An attention check, and for scores a training item."""
    first, lesson = made.corpus.dialogues.get(key="d0"), made.corpus.dialogues.get(key="d0-beta")
    if plan.kind == "pairs":
        check(made, first, "attention", note="Choose this.", expected=dict.fromkeys(KEYS, 0), other=lesson)
        return
    expected = dict.fromkeys(KEYS, 4)
    check(made, first, "attention", note="Choose this.", expected=expected)
    check(made, lesson, expected=expected, tolerance=2)


def _analysis_plan(plan: Plan, backgrounds: int) -> dict[str, Any]:
    return {
        "question": "β is better.",
        "metrics": ["natural"],
        "contrasts": [["alpha", "beta"]],
        "population": "these" if plan.counts else "like",
        "family": "primary" if plan.counts else "all",
        "raters": plan.k or 3,
        "backgrounds": backgrounds,
    }


def _imported(plan: Plan) -> Study:
    """A closed study of a file in which raters scored what the steps say."""
    rng = random.Random(json.dumps(plan.steps))
    rows = [
        (f"r{rater}", f"d{item}", metric, rng.randint(1, 5))
        for rater in range(1 + plan.versions)
        for item in range(4)
        for metric in KEYS
        if rng.random() < 0.8
    ]
    with tempfile.TemporaryDirectory() as folder:
        return imported_files.imported(
            imported_files.csv_file(Path(folder), rows or [("r0", "d0", "natural", 1)])
        ).study
