"""The results of a trial: each background before and after, by arm, with figures and their means."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import fmean
from typing import Any

from dialogues.display import turns_for_template
from dialogues.models import Dialogue, Version
from generation.background import run_backgrounds
from generation.models import Call, ExampleKind, Output, Stage, Trial, TrialArm
from generation.parsing import Outcome
from generation.trials.measures import FIGURES, Figure, mean_words
from generation.watching.causes import CAUSES

NAMES = ("A", "B")


@dataclass(frozen=True, slots=True)
class Written:
    """One dialogue that an arm wrote, or what happened instead."""

    arm: TrialArm
    version: Version
    dialogue: Dialogue | None = None
    output: Output | None = None
    call: Call | None = None  # the newest at this place
    why: str = ""
    failed: bool = False

    @property
    def turns(self) -> list[Any]:
        return turns_for_template(self.dialogue.transcript, NAMES) if self.dialogue else []

    @property
    def figures(self) -> dict[str, float]:
        """By the keys of FIGURES; empty without a dialogue."""
        return _figures(self.dialogue, self.output) if self.dialogue else {}

    @property
    def told(self) -> list[tuple[str, str]]:
        """(label, value) for the page."""
        return [
            (figure.label, figure.words(self.figures[key])) for key, figure in FIGURES.items() if key in self.figures
        ]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one arm wrote for one background, and what that cost."""

    arm: TrialArm
    written: Sequence[Written]
    tokens: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """One background with every arm's answer."""

    subject: Dialogue
    source: Dialogue | None
    theme: str
    before: Mapping[str, float]
    answers: Sequence[Answer]

    @property
    def turns(self) -> list[Any]:
        return turns_for_template(self.subject.transcript, NAMES)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(figure.label, figure.words(self.before[key])) for key, figure in FIGURES.items() if key in self.before]


@dataclass(frozen=True, slots=True)
class Mean:
    """One figure over the backgrounds; `difference` is tried − current over those `pairs` that have both."""

    version: Version
    label: str
    before: str
    means: Sequence[tuple[str, int]]  # one an arm: the mean in words, and n
    difference: str
    pairs: int


@dataclass(slots=True)
class Results:
    trial: Trial
    rows: list[Row] = field(default_factory=list)
    means: list[Mean] = field(default_factory=list)
    theme_tokens: int = 0
    theme_cost: Decimal = Decimal(0)

    @property
    def mark(self) -> str:
        """Changes whenever an answer has something new to show."""
        told = [(one.dialogue.pk if one.dialogue else None, one.why) for one in self._written]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    @property
    def sentence(self) -> str:
        """How far it is, for the top of the page."""
        parts = [f"{self.came} of {self.wanted} answers"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        return ", ".join(parts)

    @property
    def open(self) -> int:
        """Answers that may still come."""
        return sum(not one.dialogue and not one.failed for one in self._written)

    @property
    def failed(self) -> int:
        return len({one.call.pk for one in self._written if one.failed and one.call})

    @property
    def came(self) -> int:
        """Complete answers: one per arm and background."""
        return sum(all(one.dialogue for one in answer.written) for row in self.rows for answer in row.answers)

    @property
    def wanted(self) -> int:
        return sum(len(row.answers) for row in self.rows)

    @property
    def _written(self) -> list[Written]:
        return [one for row in self.rows for answer in row.answers for one in answer.written]


def versions_of(trial: Trial) -> list[str]:
    """The versions that the stage writes; first the one that the set on trial is meant for."""
    if trial.stage == Stage.FURTHER_SPLIT:
        return ["stephanie"]
    negative = trial.example_set is not None and trial.example_set.kind == ExampleKind.SINGLE_STEP
    return ["beta", "gamma"] if negative else ["gamma", "beta"]


def as_json(found: Results) -> dict[str, Any]:
    """A trial with its results, for scripts."""
    trial = found.trial
    return {
        "trial": trial.pk,
        "what": trial.what,
        "stage": trial.stage,
        "state": trial.state,
        "run": trial.own_run.pk if trial.own_run else None,
        "sentence": found.sentence,
        "why_alone": trial.why_alone,
        "arms": [
            {"name": arm.name, "sets": [used.pk for used in arm.run_stage.example_sets.all()],
             "prompt": arm.run_stage.prompt_id, "reused": arm.reused}
            for arm in trial.arms.all()
        ],
        "backgrounds": [
            {"dialogue": row.source.key if row.source else row.subject.key, "before": row.before,
             "answers": [_answer_json(answer) for answer in row.answers]}
            for row in found.rows
        ],
    }  # fmt: skip


def results_of(trial: Trial) -> Results:
    """A constant number of queries; the trial comes from `Trial.objects.with_arms()`."""
    arms = list(trial.arms.all())
    runs = {arm.run_id for arm in arms}
    subjects = list(trial.subjects.select_related("dialogue__version", "source__corpus"))
    keys = [subject.dialogue_id for subject in subjects]
    calls = list(
        Call.objects.filter(run__in=runs, dialogue__in=keys)
        .defer("raw_reply", "raw_body")
        .select_related("run_stage")
        .order_by("pk")
    )
    outputs = Output.objects.filter(call__in=[call.pk for call in calls]).select_related("dialogue", "version")
    by_call = {(output.call_id, output.version_id): output for output in outputs}
    versions = Version.objects.in_bulk(versions_of(trial))
    themes = _themes(runs, keys)
    found = Results(trial)
    for subject in subjects:
        about = [call for call in calls if call.dialogue_id == subject.dialogue_id]
        answers = [_answer(trial, arm, about, by_call, versions) for arm in arms]
        theme = themes.get(subject.dialogue_id, subject.dialogue.theme)
        before = _figures(subject.dialogue, None)
        found.rows.append(Row(subject.dialogue, subject.source, theme, before, answers))
    found.means = _means(trial, found.rows, versions)
    own = trial.own_run
    for call in calls:
        if own is not None and call.stage == Stage.THEME and call.run_id == own.pk:
            found.theme_tokens += call.prompt_tokens + call.completion_tokens
            found.theme_cost += call.cost
    return found


def _themes(runs: set[int], keys: Sequence[int]) -> dict[int, str]:
    """By dialogue the theme that the pair was written on, if a run wrote it."""
    return {dialogue: found.theme for (_, dialogue), found in run_backgrounds(runs, keys).items()}


def _answer(
    trial: Trial, arm: TrialArm, calls: Sequence[Call], by_call: Mapping[tuple[int, str], Output],
    versions: Mapping[str, Version],
) -> Answer:  # fmt: skip
    mine = [
        call
        for call in calls
        if call.run_id == arm.run_id and call.stage == trial.stage and call.run_stage.branch == arm.branch
    ]
    on_the_way = [call for call in calls if call.run_id == arm.run_id and call.stage == Stage.THEME]
    written = [_written(arm, versions[slug], mine, on_the_way, by_call) for slug in versions_of(trial)]
    tokens = sum(call.prompt_tokens + call.completion_tokens for call in mine)
    return Answer(arm, written, tokens, sum((call.cost for call in mine), Decimal(0)))


def _written(
    arm: TrialArm,
    version: Version,
    mine: Sequence[Call],
    before: Sequence[Call],
    by_call: Mapping[tuple[int, str], Output],
) -> Written:
    output = next((by_call[call.pk, version.slug] for call in mine if (call.pk, version.slug) in by_call), None)
    if output is not None:
        call = next(call for call in mine if call.pk == output.call_id)
        return Written(arm, version, output.dialogue, output, call)
    newest = next(reversed(mine or before), None)
    if newest is None:
        return Written(arm, version, why="Nothing has been sent yet.")
    failed = newest.state == Call.State.FAILED
    return Written(arm, version, call=newest, why=_why(newest), failed=failed)


def _why(call: Call) -> str:
    """What the page says in place of a dialogue."""
    stage = "The theme" if call.stage == Stage.THEME else "The reply"
    if call.state == Call.State.FAILED:
        cause = CAUSES.get(call.outcome, call.outcome)
        return f"Failed: {cause[:1].lower() + cause[1:]}."
    if call.state == Call.State.DONE and call.outcome not in ("", Outcome.OK):
        return f"{stage} was not usable and is being repaired."
    if call.stage == Stage.THEME and call.state == Call.State.DONE:
        return "The theme is written; the dialogue comes next."
    return f"{stage} is {'on its way' if call.state == Call.State.SENT else 'still to come'}."


def _figures(dialogue: Dialogue, output: Output | None) -> dict[str, float]:
    found = {
        "messages": float(dialogue.message_count),
        "words": dialogue.words_per_message,
        "acmc": dialogue.acmc,
        "longest": float(max(dialogue.transcript.run_lengths())),
    }
    if output is not None and output.kept is not None and output.invented is not None:
        found |= {"kept": output.kept, "invented": output.invented}
    return found


def _means(trial: Trial, rows: Sequence[Row], versions: Mapping[str, Version]) -> list[Mean]:
    return [
        mean
        for number, slug in enumerate(versions_of(trial))
        for key, figure in FIGURES.items()
        if (mean := _mean(versions[slug], number, key, figure, rows)) is not None
    ]


def _mean(version: Version, number: int, key: str, figure: Figure, rows: Sequence[Row]) -> Mean | None:
    """`number`: the version's index in an answer."""
    values = [[answer.written[number].figures.get(key) for answer in row.answers] for row in rows]
    if all(value is None for row in values for value in row):
        return None
    before = [row.before[key] for row in rows if key in row.before]
    arms = [[row[place] for row in values if row[place] is not None] for place in range(len(values[0]))]
    pairs = [row[0] - row[1] for row in values if len(row) > 1 and row[0] is not None and row[1] is not None]
    return Mean(
        version=version,
        label=figure.label,
        before=mean_words(figure, before),
        means=[(mean_words(figure, arm), len(arm)) for arm in arms],
        difference=figure.signed(fmean(pairs)) if pairs else "–",
        pairs=len(pairs),
    )


def _answer_json(answer: Answer) -> dict[str, Any]:
    written = [
        {"version": one.version.pk, "messages": one.dialogue.messages if one.dialogue else None, "figures": one.figures,
         "call": one.call.pk if one.call else None, "failed": one.failed, "why": one.why}
        for one in answer.written
    ]  # fmt: skip
    return {"arm": answer.arm.name, "tokens": answer.tokens, "cost": str(answer.cost), "written": written}
