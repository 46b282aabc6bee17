"""Forms of the generation pages."""

from decimal import Decimal
from typing import Any

from django import forms

from dialogues.models import Corpus
from generation import addresses, example_sets
from generation.keys import KeysMissingError
from generation.models import Call, Endpoint, ExampleKind, ExampleSet, Run, Stage
from generation.planning import Choice
from generation.stages import ORDER


class EndpointForm(forms.ModelForm[Endpoint]):
    """An endpoint and its key; the key goes in and never comes out."""

    api_key = forms.CharField(
        label="API key",
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Stored encrypted and never shown again. Leave empty where the server needs none.",
    )
    forget_key = forms.BooleanField(label="Forget the stored key", required=False)

    class Meta:
        model = Endpoint
        fields = (
            "name", "base_url", "model", "price_in", "price_out", "max_in_flight", "requests_per_minute",
            "tokens_per_minute", "timeout_seconds",
        )  # fmt: skip
        labels = {
            "base_url": "Address",
            "price_in": "Price of a million input tokens",
            "price_out": "Price of a million output tokens",
            "max_in_flight": "Calls at once",
            "requests_per_minute": "Requests a minute",
            "tokens_per_minute": "Tokens a minute",
            "timeout_seconds": "Seconds to wait for an answer",
        }
        help_texts = {
            "name": "What you call it here.",
            "base_url": "The OpenAI-compatible base address, often ending in /v1.",
            "model": "The model's name as the endpoint knows it.",
            "price_in": "US dollars; 0 where it is free.",
            "price_out": "US dollars; 0 where it is free.",
            "max_in_flight": "How many calls may be on their way at the same time, over all workers.",
            "requests_per_minute": "Your account's limit; empty for none.",
            "tokens_per_minute": "Your account's limit; empty for none.",
            "timeout_seconds": "At most 300.",
        }
        widgets = {"base_url": forms.URLInput(attrs={"placeholder": "https://api.example.org/v1"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for price in ("price_in", "price_out"):
            self.initial[price] = f"{Decimal(self.initial.get(price) or 0).normalize():f}"
        if self.instance.has_key:
            self.fields["api_key"].help_text = "A key is stored. Leave empty to keep it."
        else:
            del self.fields["forget_key"]

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"]
        if any(not "!" <= letter <= "~" for letter in key):
            raise forms.ValidationError(
                "A key has plain letters, digits and signs, and no spaces. Was all of it copied?"
            )
        return key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        address = addresses.origin(cleaned.get("base_url", ""))
        moved = self.instance.encrypted_key and address != self.instance.key_origin
        if moved and not cleaned.get("api_key") and not cleaned.get("forget_key"):
            self.add_error(
                "api_key", "The address now leads to another host. Enter the key for it; the stored one stays unsent."
            )
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        key = self.cleaned_data.get("api_key")
        try:
            if key or self.cleaned_data.get("forget_key"):
                self.instance.set_key(key or "")
        except KeysMissingError as error:
            self.add_error("api_key", str(error))


class RunForm(forms.Form):
    """Everything to decide before a run; nothing is sent by saving it."""

    name = forms.CharField(max_length=120, help_text="For you to find it again.")
    corpus = forms.ModelChoiceField(Corpus.objects.all(), empty_label=None)
    endpoint = forms.ModelChoiceField(Endpoint.objects.all(), empty_label=None)
    stages = forms.MultipleChoiceField(
        choices=Stage.choices, widget=forms.CheckboxSelectMultiple, initial=[stage.value for stage in ORDER]
    )
    sample = forms.IntegerField(
        label="How many dialogues", required=False, min_value=1, help_text="Drawn by the seed; empty takes all."
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**53, initial=0, help_text="The same seed draws the same dialogues."
    )
    single_step_set = forms.ModelChoiceField(
        ExampleSet.objects.filter(kind=ExampleKind.SINGLE_STEP), label="Single-step examples", empty_label=None
    )
    step_by_step_set = forms.ModelChoiceField(
        ExampleSet.objects.filter(kind=ExampleKind.STEP_BY_STEP), label="Step-by-step examples", empty_label=None
    )
    further_split_set = forms.ModelChoiceField(
        ExampleSet.objects.filter(kind=ExampleKind.FURTHER_SPLIT), label="Further-split pairs", empty_label=None
    )
    temperature = forms.FloatField(
        required=False, min_value=0, max_value=2, initial=0.7, help_text="Empty leaves it to the model."
    )
    max_tokens = forms.IntegerField(
        label="Longest reply", min_value=16, max_value=200_000, initial=4096, help_text="Tokens; cut off beyond."
    )
    budget = forms.DecimalField(
        required=False, min_value=Decimal("0.01"), max_digits=12, decimal_places=4,
        help_text="US dollars. The run pauses itself before it could cost more.",
    )  # fmt: skip
    keep_share = forms.FloatField(
        label="Share of γ's words that a further-split must keep", min_value=0, max_value=1, initial=0.8
    )
    ambiguous_policy = forms.ChoiceField(
        label="A call that was sent and never answered",
        required=False,
        choices=[("", "Send again where calls are free, else hold"), *Run.AmbiguousPolicy.choices],
    )

    SET_FIELDS = {
        ExampleKind.SINGLE_STEP: "single_step_set",
        ExampleKind.STEP_BY_STEP: "step_by_step_set",
        ExampleKind.FURTHER_SPLIT: "further_split_set",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, row in example_sets.newest_sets().items():
            self.fields[self.SET_FIELDS[kind]].initial = row.pk

    def choice(self) -> Choice:
        plain = ("name", "corpus", "endpoint", "sample", "seed", "temperature", "max_tokens", "budget", "keep_share")
        return Choice(
            **{name: self.cleaned_data[name] for name in plain},
            stages=[Stage(name) for name in self.cleaned_data["stages"]],
            sets={kind: self.cleaned_data[name] for kind, name in self.SET_FIELDS.items()},
            ambiguous_policy=self.cleaned_data["ambiguous_policy"],
        )


class BudgetForm(forms.ModelForm[Run]):
    class Meta:
        model = Run
        fields = ("budget",)
        help_texts = {"budget": "US dollars; empty for none."}


class CallFilter(forms.Form):
    """The calls table's filter; an unknown value filters nothing."""

    stage = forms.ChoiceField(
        required=False,
        choices=[("", "All stages"), *Stage.choices],
        widget=forms.Select(attrs={"aria-label": "Stage"}),
    )
    state = forms.ChoiceField(
        required=False,
        choices=[("", "All states"), *Call.State.choices],
        widget=forms.Select(attrs={"aria-label": "State"}),
    )
    outcome = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
