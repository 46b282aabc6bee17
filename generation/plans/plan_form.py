"""Forms to plan a run (dialogues, endpoints, examples, limits), to edit a stage for a retry, and to reread replies."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import uuid4

from django import forms

from dialogues.models import Corpus, Version
from generation import example_sets
from generation.engine.retrying import Edit
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Run, RunStage, Stage
from generation.plans import schema
from generation.plans.choosing import Selection
from generation.plans.run_plan import Choice
from generation.prompts import PLACEHOLDERS, PromptText, StageName
from generation.stages import ORDER, SPECS

SET_FIELDS = {
    ExampleKind.SINGLE_STEP: "single_step_set",
    ExampleKind.STEP_BY_STEP: "step_by_step_set",
    ExampleKind.FURTHER_SPLIT: "further_split_set",
}
PROMPT_FIELDS = {stage: f"{stage.value}_prompt" for stage in ORDER}
GENERATED = ("beta", "gamma", "stephanie")


class EndpointChoice(forms.ModelChoiceField[Endpoint]):
    def label_from_instance(self, obj: Any) -> str:
        return endpoint_label(obj)


class EndpointChoices(forms.ModelMultipleChoiceField[Endpoint]):
    def label_from_instance(self, obj: Any) -> str:
        return endpoint_label(obj)


class SetChoice(forms.ModelChoiceField[ExampleSet]):
    """Labels drafts (a run will freeze them) and sets that come with the project."""

    def label_from_instance(self, obj: Any) -> str:
        shipped = "comes with the project" if obj.is_shipped else ""
        draft = "" if obj.frozen_at else "draft, will be frozen at start"
        said = ", ".join(filter(None, (shipped, draft)))
        return f"{obj} ({said})" if said else str(obj)


def endpoint_label(endpoint: Endpoint) -> str:
    """Name, model and price."""
    prices = " / ".join(f"${price.normalize():f}" for price in (endpoint.price_in, endpoint.price_out))
    price = "free" if endpoint.is_free else f"{prices} a million tokens"
    batches = ", batches" if endpoint.supports_batch else ""
    demo = ", demo rules" if endpoint.is_demo else ""
    return f"{endpoint.name} ({endpoint.model}, {price}{batches}{demo})"


class AskingForm(forms.Form):
    """How models are asked and what it may cost: the fields of every kind of run."""

    seed = schema.SEED.form_field()
    temperature = schema.TEMPERATURE.form_field(initial=0.7)
    max_tokens = schema.MAX_TOKENS.form_field()
    budget = schema.BUDGET.form_field()
    token_budget = schema.TOKEN_BUDGET.form_field()


class PlanForm(AskingForm):
    """What is decided besides about a run that is no trial."""

    name = schema.NAME.form_field()
    ambiguous_policy = schema.AMBIGUOUS_POLICY.form_field()
    use_batch = schema.USE_BATCH.form_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Without the question about batches where no endpoint offers them."""
        super().__init__(*args, **kwargs)
        if not Endpoint.objects.filter(supports_batch=True).exists():
            del self.fields[schema.USE_BATCH.name]

    def decided(self, *fields: schema.PlanField) -> dict[str, Any]:
        """What was entered, by the names of a choice; a field that the form does not show is left out."""
        return {name: self.cleaned_data[name] for name in schema.names(fields) if name in self.cleaned_data}


class RunForm(PlanForm):
    """Everything to decide before a run; nothing is sent by saving it."""

    # Identifies one filling-in of the form: a second click on the button finds the run that the first one made.
    once = forms.CharField(required=False, max_length=40, initial=lambda: str(uuid4()), widget=forms.HiddenInput)
    corpus = forms.ModelChoiceField(Corpus.objects.listed(), empty_label=None)

    search = schema.SEARCH.form_field()
    fewest_messages = schema.FEWEST_MESSAGES.form_field(min_value=1)
    most_messages = schema.MOST_MESSAGES.form_field(min_value=1)
    without = forms.ModelChoiceField(
        Version.objects.filter(slug__in=GENERATED),
        label=schema.WITHOUT.label,
        required=False,
        empty_label="– whatever they have –",
        help_text=schema.WITHOUT.page_help,
    )
    without_writer = schema.WITHOUT_WRITER.form_field(max_length=200)
    sample = schema.SAMPLE.form_field()
    with_examples = schema.WITH_EXAMPLES.form_field()

    stages = forms.MultipleChoiceField(
        choices=[(stage.value, stage.label) for stage in ORDER],
        widget=forms.CheckboxSelectMultiple,
        initial=[stage.value for stage in ORDER],
    )
    theme_endpoint = EndpointChoice(Endpoint.objects.all(), label="Who writes the themes", empty_label=None)
    writers = EndpointChoices(
        Endpoint.objects.all(), label="Who writes β and γ", widget=forms.CheckboxSelectMultiple,
        help_text="Several write on the same backgrounds, so that they can be compared.",
    )  # fmt: skip
    splitter = EndpointChoice(
        Endpoint.objects.all(), label="Who splits γ further", required=False, empty_label="Each writer its own γ"
    )
    reuse_themes = schema.REUSE_THEMES.form_field()
    keep_share = schema.KEEP_SHARE.form_field()

    single_step_set = SetChoice(
        ExampleSet.objects.choosable(ExampleKind.SINGLE_STEP), label="Single-step examples", empty_label=None
    )
    step_by_step_set = SetChoice(
        ExampleSet.objects.choosable(ExampleKind.STEP_BY_STEP), label="Step-by-step examples", empty_label=None
    )
    further_split_set = SetChoice(
        ExampleSet.objects.choosable(ExampleKind.FURTHER_SPLIT), label="Further-split pairs", empty_label=None
    )
    theme_prompt = forms.ModelChoiceField(
        Prompt.objects.kept().filter(stage=Stage.THEME), label="Prompt for themes", empty_label=None
    )
    pair_prompt = forms.ModelChoiceField(
        Prompt.objects.kept().filter(stage=Stage.PAIR), label="Prompt for β and γ", empty_label=None
    )
    further_split_prompt = forms.ModelChoiceField(
        Prompt.objects.kept().filter(stage=Stage.FURTHER_SPLIT), label="Prompt for splitting further", empty_label=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, row in example_sets.newest_sets().items():
            self.fields[SET_FIELDS[kind]].initial = row.pk
        for prompt in example_sets.newest_prompts(ORDER):
            self.fields[PROMPT_FIELDS[Stage(prompt.stage)]].initial = prompt.pk
        first = Endpoint.objects.values_list("pk", flat=True).first()
        self.fields["theme_endpoint"].initial = first
        self.fields["writers"].initial = [first] if first else []

    def choice(self) -> Choice:
        """The decisions, for `run_plan.create_run`."""
        given = self.cleaned_data
        return Choice(
            **self.decided(schema.NAME, schema.SEED, schema.KEEP_SHARE, schema.REUSE_THEMES, *schema.PLANNED_FIELDS),
            corpus=given["corpus"],
            endpoints=self._endpoints(),
            selection=self._selection(),
            stages=[Stage(name) for name in given["stages"]],
            sets={kind: given[name] for kind, name in SET_FIELDS.items()},
            prompts={stage: given[name] for stage, name in PROMPT_FIELDS.items()},
        )

    def _selection(self) -> Selection:
        without = self.cleaned_data["without"]
        return Selection(**{**self.decided(*schema.SELECTION_FIELDS), "without": without.pk if without else ""})

    def _endpoints(self) -> dict[Stage, list[Endpoint]]:
        theme, splitter = self.cleaned_data["theme_endpoint"], self.cleaned_data["splitter"]
        return {
            Stage.THEME: [theme],
            Stage.PAIR: list(self.cleaned_data["writers"]),
            Stage.FURTHER_SPLIT: [splitter] if splitter else [],
        }


def from_run(run: Run) -> dict[str, Any]:
    """A run's values as the form's initial ones; the seed draws the dialogues again."""
    rows = {stage: run.rows_of(stage) for stage in run.stage_list}
    found: dict[str, Any] = {
        "name": run.name, "corpus": run.corpus_id, "seed": run.seed, "stages": run.stages, "sample": run.dialogue_count,
        "keep_share": run.keep_share, "ambiguous_policy": run.ambiguous_policy, "budget": run.budget,
        "token_budget": run.token_budget, "use_batch": any(row.use_batch for row in run.newest_rows),
    }  # fmt: skip
    for stage, used in rows.items():
        found[PROMPT_FIELDS[stage]] = used[0].prompt_id
        found |= {SET_FIELDS[ExampleKind(kept.kind)]: kept.pk for kept in used[0].example_sets.all()}
        limit = next(
            (used[0].parameters[name] for name in Endpoint.LengthParameter if name in used[0].parameters), None
        )
        found |= {"temperature": used[0].parameters.get("temperature"), "max_tokens": limit or schema.MAX_TOKENS.usual}
    if Stage.THEME in rows:
        found["theme_endpoint"] = rows[Stage.THEME][0].endpoint_id
    if Stage.PAIR in rows:
        found["writers"] = [row.endpoint_id for row in rows[Stage.PAIR]]
    if Stage.FURTHER_SPLIT in rows:
        splitters = [row.endpoint_id for row in rows[Stage.FURTHER_SPLIT]]
        own = splitters == found.get("writers")
        found["splitter"] = None if own else splitters[0]
    return found


class PromptField(forms.CharField):
    """A prompt's text unchanged: not stripped, line ends as stored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}), **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class EditForm(forms.Form):
    """One stage's prompt and example sets, filled with what it shows now; only changes count as an edit."""

    system = PromptField(label="System message", required=False)
    user = PromptField(label="User message")

    def __init__(self, row: RunStage, data: Any = None) -> None:
        text = {"system": row.prompt.system, "user": row.prompt.user}
        super().__init__(data, prefix=row.stage, initial=text)
        self.stage = Stage(row.stage)
        self.before = PromptText(row.prompt.system, row.prompt.user)
        used = {used.kind: used for used in row.example_sets.all()}
        for kind in SPECS[self.stage].kinds:
            # A trial's copy of a set is offered only if the stage shows that copy now.
            offered = ExampleSet.objects.choosable(kind, [one.pk for one in used.values()])
            self.fields[kind.value] = SetChoice(offered, label=kind.label, empty_label=None, initial=used.get(kind))

    @property
    def placeholders(self) -> Sequence[str]:
        """What the texts may name, in braces."""
        known = PLACEHOLDERS[cast(StageName, self.stage.value)]
        return sorted(known.required | known.optional)

    def edit(self) -> Edit | None:
        """The changes, or None."""
        text = PromptText(self.cleaned_data["system"], self.cleaned_data["user"])
        sets = {ExampleKind(name): self.cleaned_data[name] for name in self.changed_data if name in ExampleKind.values}
        prompt = None if text == self.before else text
        return Edit(prompt, sets) if prompt or sets else None


class RereadForm(forms.Form):
    """The threshold for reading stored replies again."""

    keep_share = schema.KEEP_SHARE.form_field(required=False, initial=None)
