"""Forms for a second try: what a stage shows when failed calls are sent again, and how replies are read again."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms

from generation.engine.retrying import Edit
from generation.models import ExampleKind, ExampleSet, RunStage, Stage
from generation.plans import schema
from generation.plans.plan_form import SetChoice
from generation.prompts import PLACEHOLDERS, PromptText, StageName
from generation.stages import SPECS


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
