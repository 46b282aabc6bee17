"""The form for a trial of a set or a wording: model, backgrounds and price limit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms

from core.numbers import whole_number, whole_numbers
from dialogues.models import Corpus, Dialogue, DialogueQuerySet
from generation import example_sets
from generation.families import root_of
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Stage
from generation.plans import schema
from generation.plans.choosing import shown_backgrounds
from generation.plans.plan_form import AskingForm, EndpointChoice, PromptField
from generation.prompts import PLACEHOLDERS, PromptText
from generation.stages import SPECS
from generation.trials.arms import current_set
from generation.trials.trial_plan import MOST_BACKGROUNDS, STAGE_OF, TrialChoice

SHOWN = 25  # dialogues to choose from; a search finds the others
FIRST_WORDS = 60  # letters of a first message
EXAMPLE = " (shown as an example)"


@dataclass(frozen=True, slots=True)
class Target:
    """What is tried, and the wording that the form begins with."""

    stage: Stage
    example_set: ExampleSet | None
    prompt: Prompt | None

    @classmethod
    def of_set(cls, example_set: ExampleSet) -> "Target":
        stage = STAGE_OF[ExampleKind(example_set.kind)]
        return cls(stage, example_set, next(iter(example_sets.newest_prompts([stage])), None))

    @classmethod
    def of_prompt(cls, prompt: Prompt) -> "Target":
        return cls(Stage(prompt.stage), None, prompt)

    @property
    def reads(self) -> str:
        """What the person chooses among, for the page."""
        return "γ dialogues" if self.stage == Stage.FURTHER_SPLIT else "originals"


def candidates(corpus: Corpus, stage: Stage) -> DialogueQuerySet:
    """The dialogues of a corpus that the stage reads: γ to split, or originals to write a pair on."""
    rows = corpus.dialogues.all()
    rows = rows.of_version("gamma") if stage == Stage.FURTHER_SPLIT else rows.originals()
    return rows.order_by("pk")


def usual_corpus(stage: Stage) -> Corpus | None:
    """The newest corpus with dialogues for the stage; else the newest."""
    corpora = Corpus.objects.listed()
    fitting = corpora.with_version("gamma") if stage == Stage.FURTHER_SPLIT else corpora
    return fitting.first() or corpora.first()


class TrialForm(AskingForm):
    """Everything to decide before a trial; nothing is sent by saving it."""

    once = forms.CharField(required=False, max_length=40, initial=lambda: str(uuid4()), widget=forms.HiddenInput)
    endpoint = EndpointChoice(Endpoint.objects.all(), label="Which model", empty_label=None)
    corpus = forms.ModelChoiceField(Corpus.objects.listed(), empty_label=None)
    search = schema.SEARCH.form_field()
    dialogues = forms.MultipleChoiceField(label="Backgrounds", widget=forms.CheckboxSelectMultiple)
    system = PromptField(label="System message", required=False)
    user = PromptField(label="User message", required=False)
    seed = schema.SEED.form_field(help_text="Sent to both sides alike.")
    budget = schema.BUDGET.form_field(help_text="US dollars. The trial pauses before it can cost more.")
    token_budget = schema.TOKEN_BUDGET.form_field(
        help_text="Tokens read and written. The trial pauses before it can use more."
    )
    again = schema.AGAIN.form_field(
        label="Ask again even if an earlier trial has the answer",
        help_text="Otherwise that answer is shown at no further cost.",
    )

    def __init__(self, target: Target, data: Any = None, initial: Mapping[str, Any] | None = None) -> None:
        """`initial` may be what was sent, so that a new search keeps what was typed."""
        wording = {"system": target.prompt.system, "user": target.prompt.user} if target.prompt else {}
        super().__init__(data, initial={**wording, "corpus": usual_corpus(target.stage), **(initial or {})})
        self.target = target
        self.shown_corpus = self._corpus()
        found = self._found()
        shown = shown_by(target.stage, target.example_set, self.shown_corpus)
        labels = [(str(row.pk), _label(row) + (EXAMPLE if root_of(row) in shown else "")) for row in found]
        self.fields["dialogues"].choices = labels  # type: ignore[attr-defined]
        self.fields["dialogues"].label = f"One to five {target.reads}"
        kept = {str(key) for key in self.initial.get("dialogues", ())} & {str(row.pk) for row in found}
        self.initial["dialogues"] = sorted(kept, key=int) or [
            str(row.pk) for row in first_backgrounds(row for row in found if root_of(row) not in shown)
        ]

    @property
    def placeholders(self) -> Sequence[str]:
        """What the texts may name, in braces."""
        known = PLACEHOLDERS[self.target.stage.value]  # type: ignore[index]
        return sorted(known.required | known.optional)

    @property
    def any_found(self) -> bool:
        return bool(self.fields["dialogues"].choices)  # type: ignore[attr-defined]

    @property
    def wording_changed(self) -> bool:
        return bool({"system", "user"} & (set(self.changed_data) if self.is_bound else set(self._typed())))

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if not found.get("user", "").strip():
            self.add_error("user", "The user message is empty. Put the wording back, or write another.")
        return found

    def choice(self) -> TrialChoice:
        """The decisions, for `trial_plan.create_trial`."""
        given = self.cleaned_data
        plain = ("endpoint", "once", *schema.names((schema.SEED, schema.AGAIN, *schema.ASKED_FIELDS)))
        rows = candidates(given["corpus"], self.target.stage).filter(pk__in=given["dialogues"])
        return TrialChoice(
            **{name: given[name] for name in plain},
            stage=self.target.stage,
            example_set=self.target.example_set,
            prompt=PromptText(given["system"], given["user"]),
            dialogues=list(rows.select_related("corpus", "origin__corpus")),
        )

    def _typed(self) -> list[str]:
        """The names of texts that were typed earlier and differ from the prompt."""
        prompt = self.target.prompt
        return [
            name for name in ("system", "user") if prompt is None or self.initial.get(name) != getattr(prompt, name)
        ]

    def _corpus(self) -> Corpus | None:
        value = self["corpus"].value()
        if isinstance(value, Corpus):
            return value
        return Corpus.objects.listed().filter(pk=whole_number(value) or 0).first()

    def _found(self) -> list[Dialogue]:
        """The dialogues that the search finds, and those chosen already."""
        if self.shown_corpus is None:
            return []
        rows = candidates(self.shown_corpus, self.target.stage)
        # Reading a bound field here would fix its initial value, which is not known yet.
        sent: Any = self.data
        named = sent.getlist("dialogues") if self.is_bound else self.initial.get("dialogues", ())
        keys = whole_numbers(named)
        chosen = rows.filter(pk__in=keys[:MOST_BACKGROUNDS]) if keys else rows.none()
        found = {row.pk: row for row in (*chosen, *rows.searched(str(self["search"].value() or ""))[:SHOWN])}
        return list(found.values())


def first_backgrounds(found: Iterable[Dialogue]) -> list[Dialogue]:
    """The first few, each from a different background."""
    first: dict[int, Dialogue] = {}
    for row in found:
        first.setdefault(root_of(row), row)
    return list(first.values())[:MOST_BACKGROUNDS]


def shown_by(stage: Stage, tried: ExampleSet | None, corpus: Corpus | None) -> set[int]:
    """The corpus's backgrounds that either side shows as examples."""
    usual = [kept for kind in SPECS[stage].kinds if (kept := current_set(kind, tried))]
    return shown_backgrounds(corpus, [*usual, *([tried] if tried else [])]) if corpus else set()


def _label(dialogue: Dialogue) -> str:
    words = dialogue.messages[0][1]
    words = words if len(words) <= FIRST_WORDS else words[: FIRST_WORDS - 1] + "…"
    return f"{dialogue.key}: {dialogue.message_count} messages, “{words}”"
