"""The form of a new chat."""

from decimal import Decimal
from typing import Any

from django import forms

from annotation.chats.beginning import MODES, NewChat
from annotation.chats.pace import PACES
from annotation.chats.plan import INTERRUPTIONS, LONGEST_NAME, SILENCE
from core.lines import filled_lines
from dialogues.models import Corpus, Dialogue
from generation.background import inherited_backgrounds
from generation.models import Endpoint
from generation.training import delimiter as delimiters

LONGEST_TRAITS = 2_000


def _lines(label: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, required=False, max_length=LONGEST_TRAITS, widget=widget)


class KeepForm(forms.Form):
    """Where a chat goes as a dialogue, and what its system is called there."""

    corpus = forms.ModelChoiceField(Corpus.objects.listed(), label="Corpus", empty_label=None)
    system = forms.CharField(
        label="Name of the system", max_length=LONGEST_NAME,
        help_text="The dialogue's version: chats with one system have the same, in every corpus.",
    )  # fmt: skip


class NewChatForm(forms.Form):
    """With whom, about what, and how. What is left empty is taken from the corpus, if one is chosen."""

    endpoint = forms.ModelChoiceField(Endpoint.objects.order_by("name"), label="Chat with", empty_label=None)
    mode = forms.ChoiceField(label="How it is asked", choices=list(MODES.items()), widget=forms.RadioSelect)
    corpus = forms.ModelChoiceField(
        Corpus.objects.listed(), required=False, label="Take theme and characters from", empty_label="nothing"
    )
    dialogue = forms.CharField(
        label="Dialogue", required=False, max_length=200, help_text="Its key in the corpus; empty for a random one."
    )
    theme = forms.CharField(
        label="Theme", required=False, max_length=LONGEST_TRAITS, widget=forms.Textarea(attrs={"rows": 3})
    )
    traits_of_model = _lines("The model's character, one sentence a line")
    traits_of_person = _lines("Your character, one sentence a line")
    title = forms.CharField(label="Name of the chat", required=False, max_length=120)
    delimiter = forms.CharField(
        label="Delimiter", required=False, max_length=delimiters.LONGEST,
        help_text=f"Empty: the one that the model was trained with, else {delimiters.DEFAULT}",
    )  # fmt: skip
    temperature = forms.FloatField(label="Temperature", initial=0.8, min_value=0, max_value=2)
    longest_reply = forms.IntegerField(label="Longest reply, in tokens", initial=400, min_value=16, max_value=8192)
    pace = forms.ChoiceField(label="Pace of bubbles", choices=list(PACES.items()), initial="typing")
    silence = forms.FloatField(
        label="Seconds of silence before the model answers", initial=SILENCE, min_value=0, max_value=30
    )
    interruption = forms.ChoiceField(
        label="A message of yours between two bubbles", choices=list(INTERRUPTIONS.items())
    )
    cap = forms.DecimalField(
        label="At most, in US dollars", initial=Decimal(1), min_value=0, max_digits=8, decimal_places=4, required=False,
        help_text="The chat ends before a reply could cost more. Empty for no limit.",
    )  # fmt: skip

    few = ("endpoint", "mode", "corpus", "dialogue", "theme", "traits_of_model", "traits_of_person")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"].initial = "trained"

    def clean_delimiter(self) -> str:
        endpoint: Endpoint | None = self.cleaned_data.get("endpoint")
        trained_with = endpoint.delimiter if endpoint else ""
        found: str = self.cleaned_data["delimiter"] or trained_with or delimiters.DEFAULT
        if why := delimiters.problem(found):
            raise forms.ValidationError(why)
        return found

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("corpus") and not self.errors:
            self._take_background(cleaned)
        return cleaned

    def chosen(self) -> NewChat:
        values = {name: self.cleaned_data[name] for name in self.cleaned_data if name not in ("corpus", "dialogue")}
        for name in ("traits_of_model", "traits_of_person"):
            values[name] = filled_lines(values[name])
        values["title"] = values["title"] or f"Chat with {values['endpoint']}"
        return NewChat(**values)

    def _take_background(self, cleaned: dict[str, Any]) -> None:
        originals = cleaned["corpus"].dialogues.originals()
        found: Dialogue | None = (
            originals.filter(key=cleaned["dialogue"]).first()
            if cleaned["dialogue"]
            else originals.order_by("?").first()
        )
        if found is None:
            self.add_error("dialogue", "The corpus has no such dialogue. Leave this empty for a random one.")
            return
        background = inherited_backgrounds([found.pk])[found.pk]
        cleaned["theme"] = cleaned["theme"] or background.theme
        cleaned["traits_of_model"] = cleaned["traits_of_model"] or "\n".join(background.traits_2)
        cleaned["traits_of_person"] = cleaned["traits_of_person"] or "\n".join(background.traits_1)
