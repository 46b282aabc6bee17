"""Forms of the pages about training runs."""

from typing import Any

from django import forms

from generation.models import TrainingRun, TrainingSet


class NewTrainingRunForm(forms.Form):
    training_set = forms.ModelChoiceField(
        TrainingSet.objects.built(),
        label="Training set",
        empty_label="Choose a set",
        help_text="Only built sets can be trained on.",
    )
    base = forms.CharField(
        label="Base model",
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "meta-llama/Meta-Llama-3-8B", "spellcheck": "false"}),
        help_text="Its name on a hub, or its folder on the machine that trains.",
    )
    method = forms.ChoiceField(
        choices=TrainingRun.Method.choices,
        help_text="LoRA trains a small adapter beside the base and fits one card. DPO needs a set of preferences.",
    )
    name = forms.CharField(max_length=120, required=False, help_text="Left out, it is made of base and set.")
    base_licence = forms.CharField(
        label="Licence of the base", max_length=120, required=False, help_text="For the model card."
    )


class EventsForm(forms.Form):
    events = forms.FileField(
        label="The trainer’s log",
        help_text="events.jsonl in the folder that --out named. Uploading it again adds what is new.",
        widget=forms.FileInput(attrs={"accept": ".jsonl"}),
    )


class RegisterForm(forms.Form):
    address = forms.CharField(
        max_length=300,
        widget=forms.URLInput(attrs={"placeholder": "http://gpu-machine:8000/v1"}),
        help_text="Where the served model answers, often ending in /v1.",
    )
    model = forms.CharField(max_length=200, help_text="Its name there, as the commands above give it.")
    name = forms.CharField(max_length=120, help_text="What the endpoint is called here.")

    def clean(self) -> dict[str, Any]:
        return {name: value.strip() for name, value in (super().clean() or {}).items()}
