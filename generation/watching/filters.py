"""Filters of the tables of calls and dialogues; invalid values are ignored."""

from typing import Any

from django import forms

from generation.models import Call, Run
from generation.watching.causes import CAUSES
from generation.watching.journeys import STATES

ANY_CAUSE = ("", "Any")


class CallFilter(forms.Form):
    stage = forms.ChoiceField(required=False)
    state = forms.ChoiceField(required=False, choices=[("", "Any"), *Call.State.choices])
    outcome = forms.ChoiceField(required=False, choices=[ANY_CAUSE, ("ok", "Usable"), *CAUSES.items()])
    noted = forms.BooleanField(required=False, label="With a note")
    q = forms.CharField(required=False, max_length=200, label="Dialogue", strip=True)

    FIELDS = {"stage": "stage", "state": "state", "outcome": "outcome", "branch": "run_stage__branch"}

    def __init__(self, run: Run, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stages = [("", "Any"), *((stage.value, stage.label) for stage in run.stage_list)]
        self.fields["stage"] = forms.ChoiceField(required=False, choices=stages)
        if len(run.writers) > 1:
            writers = [("", "Any"), *((str(branch), name) for branch, name in enumerate(run.writers))]
            self.fields["branch"] = forms.ChoiceField(required=False, label="Model", choices=writers)

    def lookups(self) -> dict[str, Any]:
        """What to filter calls by."""
        self.is_valid()
        found = {self.FIELDS[name]: value for name, value in self.cleaned_data.items() if value and name in self.FIELDS}
        if self.cleaned_data.get("noted"):
            found["note__gt"] = ""
        text = self.cleaned_data.get("q")
        return {**found, "alpha__key__icontains": text} if text else found


class DialogueFilter(forms.Form):
    q = forms.CharField(required=False, max_length=200, label="Search names and messages", strip=True)
    state = forms.ChoiceField(required=False, choices=[("", "Any"), *STATES.items()])
    cause = forms.ChoiceField(required=False, label="Failed by", choices=[ANY_CAUSE, *CAUSES.items()])

    def chosen(self) -> dict[str, str]:
        """For `journeys.chosen`."""
        self.is_valid()
        names = {"q": "text", "state": "state", "cause": "cause"}
        return {names[name]: value for name, value in self.cleaned_data.items() if value}
