"""The forms of a design's steps: each shows and changes one part of a draft."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.forms import BoundField

from annotation.allocation.repeats import ITEMS_A_REPEAT
from annotation.design import drafting
from annotation.design.document import MOST_PASSED, MOST_REPEATS
from annotation.models import Study
from core.fingerprint import fingerprint, stored
from dialogues.models import Rubric


class PlainText(forms.CharField):
    """Long text with line ends normalised to LF."""

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows}), required=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(str(value or "").replace("\r\n", "\n").replace("\r", "\n")))


class StepForm(forms.Form):
    """A part of a draft; `seen` is the fingerprint of what the page showed."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, study: Study, initial: dict[str, Any] | None = None) -> None:
        self.study = study
        super().__init__(data, initial={**self.values_of(study), **(initial or {})})
        self.fields["seen"].initial = self.seen_of(study)
        self.arrange()

    def arrange(self) -> None:
        """Adapt the fields to the study."""

    def parts(self) -> list[str]:
        """The study's fields that the form changes."""
        return [name for name in self.base_fields if name != "seen"]

    def values_of(self, study: Study) -> dict[str, Any]:
        return {name: stored(study, name) for name in self.parts()}

    def seen_of(self, study: Study) -> str:
        return fingerprint({name: drafting.stored_part(study, name) for name in self.parts()})

    def changes(self) -> dict[str, Any]:
        """The arguments for `change_study`."""
        return {name: self.cleaned_data[name] for name in self.parts()}

    def save(self, by: User | None) -> None:
        """Save the part; raises StaleError and DesignError, of which NameTakenError is one."""
        drafting.change_study(study=self.study, by=by, seen=self.cleaned_data["seen"], **self.changes())

    def now(self) -> "StepForm":
        """A form of the same part as it is stored now."""
        return type(self)(study=Study.objects.select_related("corpus", "rubric").get(pk=self.study.pk))

    def shown_values(self) -> Iterator[tuple[BoundField, str]]:
        """Every visible field with its initial value in words."""
        for bound in self.visible_fields():
            yield bound, in_words(bound)


def in_words(bound: BoundField) -> str:
    """A field's initial value as text for people."""
    value = bound.initial
    choices = getattr(bound.field, "choices", None)
    if choices is not None:
        known = {str(key): str(label) for key, label in choices}
        several = value if isinstance(value, list) else [value]
        return ", ".join(known.get(str(one), str(one)) for one in several)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


class NewStudyForm(forms.Form):
    """The first step, before there is a draft."""

    name = forms.CharField(max_length=120, help_text="For you and your colleagues. Raters never see it.")
    public_name = forms.CharField(
        label="Name for raters",
        max_length=120,
        initial="Dialogue rating",
        help_text="Say nothing about what is compared.",
    )
    kind = forms.ChoiceField(
        label="What raters do", choices=Study.Kind.choices, widget=forms.RadioSelect, initial=Study.Kind.SCORES
    )


class BasicsForm(StepForm, NewStudyForm):
    """The first step of a draft."""


class RubricForm(StepForm):
    rubric = forms.ModelChoiceField(Rubric.objects.all(), label="Questions", empty_label=None, widget=forms.RadioSelect)


CHATS_EACH = (
    "Each by another tester. With 2 systems, 20 backgrounds and 3 here, testers have 120 chats together. More can be "
    "asked for after the launch."
)


class RatersForm(StepForm):
    raters_per_item = forms.IntegerField(
        label="Raters per dialogue",
        required=False,
        min_value=1,
        max_value=100,
        help_text="Empty: every rater scores every dialogue.",
    )
    minutes_estimate = forms.IntegerField(
        label="Minutes it takes",
        required=False,
        min_value=1,
        max_value=6000,
        help_text="Told to raters before they begin.",
    )
    break_every = forms.IntegerField(
        label="Suggest a break after this many minutes",
        required=False,
        min_value=5,
        max_value=240,
        help_text="Empty: no reminders. People judge less evenly when they are tired.",
    )
    pay_note = forms.CharField(
        label="Pay",
        required=False,
        max_length=300,
        help_text="Shown to raters, and part of the record. If nothing is paid, say so.",
    )

    def arrange(self) -> None:
        if self.study.has_chats:
            each = self.fields["raters_per_item"]
            each.label, each.help_text = "Chats of each system about each background", CHATS_EACH
            each.required = True


class WordsForm(StepForm):
    guidelines = PlainText(rows=12, help_text="Plain text. An empty line begins a paragraph.")
    consent_text = PlainText(
        label="Consent text",
        rows=12,
        help_text="What a rater agrees to before the first dialogue. Empty: nothing is asked.",
    )
    withdrawal = forms.ChoiceField(
        label="When somebody withdraws",
        choices=Study.Withdrawal.choices,
        widget=forms.RadioSelect,
        help_text="Their name is removed in either case. If scores stay, the same account cannot join again. Say "
        "the same in the consent text.",
    )


class ChecksForm(StepForm):
    least_passed = forms.IntegerField(
        label="Training items that must be scored as expected",
        required=False,
        min_value=1,
        max_value=MOST_PASSED,
        help_text="A pass mark: whoever has fewer at the first try, each within its tolerance, is screened out before "
        "the first rated dialogue. Raters are told before they begin. Empty: training is not marked.",
    )
    most_lapses = forms.IntegerField(
        label="Attention checks that may be failed",
        required=False,
        min_value=0,
        max_value=100,
        help_text="A rater who fails more is screened out. Empty: nobody is.",
    )
    counts_screened_out = forms.BooleanField(
        label="Count the scores of raters who are screened out",
        required=False,
        help_text="Usually not: their scores are kept but not counted, and if every dialogue has a set number of "
        "raters, their slots go to others. The report says how many there were, and whether they count.",
    )
    hidden_repeats = forms.IntegerField(
        label="Hidden repeats per rater",
        required=False,
        min_value=0,
        max_value=MOST_REPEATS,
        help_text="So many of their own dialogues each rater meets a second time, unannounced and much later, to "
        "measure how far they agree with themselves. No other result counts these. At most one for every "
        f"{ITEMS_A_REPEAT} dialogues; they add to the rater’s time. Empty or 0: none.",
    )

    def clean_hidden_repeats(self) -> int:
        return self.cleaned_data["hidden_repeats"] or 0


class EthicsForm(StepForm):
    approval_number = forms.CharField(
        label="Ethics approval", required=False, max_length=120, help_text="Board and number, or why none is needed."
    )
    recruitment = forms.CharField(required=False, max_length=300, help_text="Who is asked to rate, and how.")
    retention = forms.CharField(required=False, max_length=300, help_text="What is kept, for how long, and where.")
