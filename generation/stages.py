"""theme → pair → further-split, and the judge: each stage is a prompt, a parser, and what it makes. No database here.

Each dialogue goes from stage to stage independently of others; a stage names the version that the next one reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dialogues.fidelity import Fidelity
from dialogues.rubric import Metric
from dialogues.transcript import Speaker, Transcript
from generation import judge_stage, parsing, prompts
from generation.models import ExampleKind, Stage
from generation.prompts import ChatMessage, PromptText, Shown

ORDER = (Stage.THEME, Stage.PAIR, Stage.FURTHER_SPLIT)
MOST_REPAIRS = 2

Examples = Mapping[ExampleKind, Sequence[Shown]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stage reads: a dialogue and what is known about its background."""

    transcript: Transcript
    theme: str
    traits_1: Sequence[str]
    traits_2: Sequence[str]
    # What a judge is asked, and whether it reads the text as raters see it.
    metrics: Sequence[Metric] = ()
    tidy: bool = True

    @property
    def background(self) -> prompts.Background:
        return prompts.Background(self.theme, self.traits_1, self.traits_2)


@dataclass(frozen=True, slots=True)
class Made:
    """What a usable reply holds: a background, dialogues by version slug, or scores by metric."""

    background: prompts.Background | None = None
    traits_extracted: bool = False
    dialogues: Mapping[str, Transcript] = field(default_factory=dict)
    fidelity: Fidelity | None = None  # of a rewrite to its source
    scores: Mapping[str, judge_stage.Score] = field(default_factory=dict)
    notes: Sequence[str] = ()  # remarks on the reply


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage's two pure halves, the example kinds it shows, and the version that the next stage reads (None: the
    same dialogue as this one)."""

    messages: Callable[[PromptText, Subject, Examples], list[ChatMessage]]
    read: Callable[[str, Subject, float], Made]
    kinds: tuple[ExampleKind, ...] = ()
    passes_on: str | None = None


def _theme_messages(prompt: PromptText, subject: Subject, examples: Examples) -> list[ChatMessage]:
    return prompts.theme_messages(prompt, subject.transcript, subject.traits_1, subject.traits_2)


def _read_theme(reply: str, subject: Subject, keep_share: float) -> Made:
    known: dict[Speaker, Sequence[str]] = {1: subject.traits_1, 2: subject.traits_2}
    wanted: list[Speaker] = [speaker for speaker, traits in known.items() if not traits]
    notes: list[str] = []
    found = parsing.parse_theme(reply, traits_wanted=wanted, notes=notes)
    background = prompts.Background(
        found.theme, subject.traits_1 or list(found.traits_1), subject.traits_2 or list(found.traits_2)
    )
    return Made(background=background, traits_extracted=bool(wanted), notes=notes)


def _pair_messages(prompt: PromptText, subject: Subject, examples: Examples) -> list[ChatMessage]:
    return prompts.pair_messages(
        prompt, subject.background, examples[ExampleKind.SINGLE_STEP], examples[ExampleKind.STEP_BY_STEP]
    )


def _read_pair(reply: str, subject: Subject, keep_share: float) -> Made:
    notes: list[str] = []
    pair = parsing.parse_pair(reply, notes=notes)
    return Made(dialogues={"beta": pair.beta, "gamma": pair.gamma}, notes=notes)


def _further_split_messages(prompt: PromptText, subject: Subject, examples: Examples) -> list[ChatMessage]:
    return prompts.further_split_messages(
        prompt, subject.background, subject.transcript, examples[ExampleKind.FURTHER_SPLIT]
    )


def _read_further_split(reply: str, subject: Subject, keep_share: float) -> Made:
    notes: list[str] = []
    rewrite = parsing.parse_further_split(reply, subject.transcript, keep_share, notes=notes)
    return Made(dialogues={"stephanie": rewrite.stephanie}, fidelity=rewrite.fidelity, notes=notes)


def _judge_messages(prompt: PromptText, subject: Subject, examples: Examples) -> list[ChatMessage]:
    return judge_stage.judge_messages(
        prompt, subject.metrics, subject.background, subject.transcript, tidy=subject.tidy
    )


def _read_judgement(reply: str, subject: Subject, keep_share: float) -> Made:
    notes: list[str] = []
    return Made(scores=judge_stage.parse_judgement(reply, subject.metrics, notes=notes), notes=notes)


SPECS: Mapping[Stage, StageSpec] = {
    Stage.THEME: StageSpec(_theme_messages, _read_theme),
    Stage.PAIR: StageSpec(
        _pair_messages, _read_pair, (ExampleKind.SINGLE_STEP, ExampleKind.STEP_BY_STEP), passes_on="gamma"
    ),
    Stage.FURTHER_SPLIT: StageSpec(_further_split_messages, _read_further_split, (ExampleKind.FURTHER_SPLIT,)),
    Stage.JUDGE: StageSpec(_judge_messages, _read_judgement),
}
