"""The reviewer's forms."""

from typing import Any

from django import forms

from generation.models import ExampleKind, ExampleSet

LONGEST_WORDS = 5000


class SendBackForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    words = forms.CharField(
        label="What should be different",
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The annotator reads this and your remarks above the dialogue.",
        error_messages={"required": "Say what should be different."},
    )


class RemarkForm(forms.Form):
    """A remark on one message; people see messages numbered from 1."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    message = forms.TypedChoiceField(coerce=int, choices=[], error_messages={"required": "Choose a message."})
    text = forms.CharField(label="Remark", max_length=LONGEST_WORDS, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, texts: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(place, f"{place + 1}. {text[:60]}") for place, text in enumerate(texts)]
        self.fields["message"].choices = choices  # type: ignore[attr-defined]


class ExampleForm(forms.Form):
    """The draft set that gets the result: both texts for a further-split set, only the new one for a positive set."""

    example_set = forms.ModelChoiceField(
        ExampleSet.objects.none(),
        label="Example set",
        empty_label=None,
        error_messages={
            "required": "Choose a set.",
            "invalid_choice": "This set is no longer a draft. Choose another.",
        },
    )
    note = forms.CharField(required=False, max_length=500, help_text="Why this example is there.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = (ExampleKind.FURTHER_SPLIT, ExampleKind.STEP_BY_STEP)
        drafts = ExampleSet.objects.listed().filter(kind__in=kinds, frozen_at__isnull=True)
        field = self.fields["example_set"]
        field.queryset = drafts.order_by("kind", "name", "-version")  # type: ignore[attr-defined]
        field.label_from_instance = lambda row: f"{row} – {row.get_kind_display()}"  # type: ignore[attr-defined]
