"""The form that changes what a stage shows before failed calls are tried again."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms

from generation.engine.retrying import Edit
from generation.models import ExampleKind, ExampleSet, RunStage, Stage
from generation.plans.plan_form import SetChoice
from generation.prompts import PLACEHOLDERS, PromptText, StageName
from generation.stages import SPECS


class PromptField(forms.CharField):
    """A prompt's text as it is: not stripped, and with the line ends it was stored with."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}), **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class EditForm(forms.Form):
    """One stage's prompt and example sets, filled with what it shows now; only what is changed is an edit."""

    system = PromptField(label="System message", required=False)
    user = PromptField(label="User message")

    def __init__(self, row: RunStage, data: Any = None) -> None:
        text = {"system": row.prompt.system, "user": row.prompt.user}
        super().__init__(data, prefix=row.stage, initial=text)
        self.stage = Stage(row.stage)
        self.before = PromptText(row.prompt.system, row.prompt.user)
        used = {used.kind: used for used in row.example_sets.all()}
        for kind in SPECS[self.stage].kinds:
            # The copy that a trial was made with is on offer where it is what is shown now.
            offered = ExampleSet.objects.choosable(kind, [one.pk for one in used.values()])
            self.fields[kind.value] = SetChoice(offered, label=kind.label, empty_label=None, initial=used.get(kind))

    @property
    def placeholders(self) -> Sequence[str]:
        """What the texts may name, in braces."""
        known = PLACEHOLDERS[cast(StageName, self.stage.value)]
        return sorted(known.required | known.optional)

    def edit(self) -> Edit | None:
        """What was changed, or None."""
        text = PromptText(self.cleaned_data["system"], self.cleaned_data["user"])
        sets = {ExampleKind(name): self.cleaned_data[name] for name in self.changed_data if name in ExampleKind.values}
        prompt = None if text == self.before else text
        return Edit(prompt, sets) if prompt or sets else None


class RereadForm(forms.Form):
    """The threshold by which stored replies are read again."""

    keep_share = forms.FloatField(
        label="Share of γ's words that a further-split must keep", required=False, min_value=0, max_value=1
    )
