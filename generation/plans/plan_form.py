"""The form that plans a run: which dialogues, who answers which stage, what they are shown, at which price at most."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms

from dialogues.models import Corpus, Version
from generation import example_sets
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Run, Stage
from generation.plans.choosing import Selection
from generation.plans.run_plan import Choice
from generation.stages import ORDER

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
    """Says of a draft that a run will freeze it, and which comes with the project."""

    def label_from_instance(self, obj: Any) -> str:
        shipped = "comes with the project" if obj.is_shipped else ""
        draft = "" if obj.frozen_at else "draft, will be frozen at start"
        said = ", ".join(filter(None, (shipped, draft)))
        return f"{obj} ({said})" if said else str(obj)


def endpoint_label(endpoint: Endpoint) -> str:
    """Name, model and price: what one chooses by."""
    prices = " / ".join(f"${price.normalize():f}" for price in (endpoint.price_in, endpoint.price_out))
    price = "free" if endpoint.is_free else f"{prices} a million tokens"
    batches = ", batches" if endpoint.supports_batch else ""
    demo = ", demo rules" if endpoint.is_demo else ""
    return f"{endpoint.name} ({endpoint.model}, {price}{batches}{demo})"


class RunForm(forms.Form):
    """Everything to decide before a run; nothing is sent by saving it."""

    # Names this filling-in of the form, so that a second click on its button finds the first one's run.
    once = forms.CharField(required=False, max_length=40, initial=lambda: str(uuid4()), widget=forms.HiddenInput)
    name = forms.CharField(max_length=120, help_text="For you to find it again.")
    corpus = forms.ModelChoiceField(Corpus.objects.listed(), empty_label=None)

    search = forms.CharField(
        label="With these words", required=False, max_length=200, help_text="In the name or in a message."
    )
    fewest_messages = forms.IntegerField(label="Messages, at least", required=False, min_value=1)
    most_messages = forms.IntegerField(label="Messages, at most", required=False, min_value=1)
    without = forms.ModelChoiceField(
        Version.objects.filter(slug__in=GENERATED),
        label="Only those without",
        required=False,
        empty_label="– whatever they have –",
        help_text="A version that need not be written again.",
    )
    without_writer = forms.CharField(
        label="… by this model", required=False, max_length=200, help_text="Empty: by any model."
    )
    sample = forms.IntegerField(
        label="How many at most", required=False, min_value=1, help_text="Drawn by the seed; empty takes all."
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**53, initial=0, help_text="The same seed draws the same dialogues."
    )
    with_examples = forms.BooleanField(
        label="Also those that are among the examples", required=False,
        help_text="Otherwise they are left out: a model would be tested on what it was shown.",
    )  # fmt: skip

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
    reuse_themes = forms.BooleanField(
        label="Take themes that earlier runs wrote", required=False,
        help_text="Where the same model wrote one by the same prompt and settings, it is used and not paid for again.",
    )  # fmt: skip
    use_batch = forms.BooleanField(
        label="Send calls in batches where an endpoint offers it", required=False,
        help_text="At the price its Batch API asks; answers may take a day.",
    )  # fmt: skip

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

    temperature = forms.FloatField(
        required=False, min_value=0, max_value=2, initial=0.7, help_text="Empty leaves it to the model."
    )
    max_tokens = forms.IntegerField(
        label="Longest reply", min_value=16, max_value=200_000, initial=4096, help_text="Tokens; cut off beyond."
    )
    keep_share = forms.FloatField(
        label="Share of γ's words that a further-split must keep", min_value=0, max_value=1, initial=0.8
    )
    ambiguous_policy = forms.ChoiceField(
        label="A call that was sent but not answered",
        required=False,
        choices=[("", "Send again where calls are free, else hold"), *Run.AmbiguousPolicy.choices],
    )

    budget = forms.DecimalField(
        label="At most, in dollars", required=False, min_value=Decimal("0.01"), max_digits=12, decimal_places=4,
        help_text="US dollars. The run pauses itself before it could cost more.",
    )  # fmt: skip
    token_budget = forms.IntegerField(
        label="At most, in tokens", required=False, min_value=1000, max_value=2**53,
        help_text="Tokens read and written. The run pauses itself before it could use more.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, row in example_sets.newest_sets().items():
            self.fields[SET_FIELDS[kind]].initial = row.pk
        for prompt in example_sets.newest_prompts(ORDER):
            self.fields[PROMPT_FIELDS[Stage(prompt.stage)]].initial = prompt.pk
        first = Endpoint.objects.values_list("pk", flat=True).first()
        self.fields["theme_endpoint"].initial = first
        self.fields["writers"].initial = [first] if first else []
        if not Endpoint.objects.filter(supports_batch=True).exists():
            del self.fields["use_batch"]

    def choice(self) -> Choice:
        """What was decided, for `run_plan.create_run`."""
        plain = ("name", "corpus", "seed", "temperature", "max_tokens", "budget", "token_budget", "keep_share")
        given = self.cleaned_data
        return Choice(
            **{name: given[name] for name in plain},
            endpoints=self._endpoints(),
            selection=self._selection(),
            stages=[Stage(name) for name in given["stages"]],
            sets={kind: given[name] for kind, name in SET_FIELDS.items()},
            prompts={stage: given[name] for stage, name in PROMPT_FIELDS.items()},
            ambiguous_policy=given["ambiguous_policy"],
            reuse_themes=given["reuse_themes"],
            use_batch=given.get("use_batch", False),
        )

    def _selection(self) -> Selection:
        given = self.cleaned_data
        plain = ("sample", "search", "fewest_messages", "most_messages", "without_writer", "with_examples")
        return Selection(
            **{name: given[name] for name in plain}, without=given["without"].pk if given["without"] else ""
        )

    def _endpoints(self) -> dict[Stage, list[Endpoint]]:
        theme, splitter = self.cleaned_data["theme_endpoint"], self.cleaned_data["splitter"]
        return {
            Stage.THEME: [theme],
            Stage.PAIR: list(self.cleaned_data["writers"]),
            Stage.FURTHER_SPLIT: [splitter] if splitter else [],
        }


def from_run(run: Run) -> dict[str, Any]:
    """A run's own values as the form's initial ones; the dialogues are those that its seed draws."""
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
        found |= {"temperature": used[0].parameters.get("temperature"), "max_tokens": limit or 4096}
    if Stage.THEME in rows:
        found["theme_endpoint"] = rows[Stage.THEME][0].endpoint_id
    if Stage.PAIR in rows:
        found["writers"] = [row.endpoint_id for row in rows[Stage.PAIR]]
    if Stage.FURTHER_SPLIT in rows:
        splitters = [row.endpoint_id for row in rows[Stage.FURTHER_SPLIT]]
        own = splitters == found.get("writers")
        found["splitter"] = None if own else splitters[0]
    return found
