"""The two steps that only a chat study has: its systems, and how its chats go."""

import copy
from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.forms import BaseFormSet, BoundField, formset_factory

from annotation.chats.beginning import MODES
from annotation.chats.pace import PACES
from annotation.chats.plan import (
    INTERRUPTIONS,
    LONGEST_NAME,
    MOST_DOLLARS,
    MOST_MINUTES,
    MOST_SILENCE,
    MOST_TURNS,
    ChatPlan,
)
from annotation.design.chat_document import HOTTEST, LONGEST_REPLY, MOST_SYSTEMS, SHORTEST_REPLY
from annotation.design.chat_systems import SystemChoice, delimiter_of, systems_of
from annotation.design.selection import Selection, select
from annotation.design.step_forms import StepForm
from annotation.models import Study
from core.numbers import whole_number
from dialogues.models import Corpus
from generation.models import Endpoint
from generation.training import delimiter as delimiters

PREFIX = "systems"
TOTAL = f"{PREFIX}-TOTAL_FORMS"
# Rows that a new study shows: it compares at least two.
USUAL_SYSTEMS = 2


class SystemForm(forms.Form):
    """One system; a row without a name and an endpoint is left out."""

    name = forms.CharField(
        max_length=LONGEST_NAME, help_text="For you and your tables. Testers never see it.", required=False
    )
    endpoint = forms.ModelChoiceField(Endpoint.objects.order_by("name"), empty_label="none", required=False)
    mode = forms.ChoiceField(label="How it is asked", choices=list(MODES.items()), initial="trained")
    delimiter = forms.CharField(
        required=False,
        max_length=delimiters.LONGEST,
        help_text=f"Empty: the one it was trained with, else {delimiters.DEFAULT}. Plain systems use none.",
    )
    temperature = forms.FloatField(initial=0.8, min_value=0, max_value=HOTTEST)
    longest_reply = forms.IntegerField(
        label="Longest reply, in tokens", initial=400, min_value=SHORTEST_REPLY, max_value=LONGEST_REPLY
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        name, endpoint = cleaned.get("name"), cleaned.get("endpoint")
        if name and endpoint is None and "endpoint" not in self.errors:
            self.add_error("endpoint", "Choose the endpoint where this system answers.")
        if endpoint is not None and not name and "name" not in self.errors:
            self.add_error("name", "Give the system a name.")
        if endpoint is not None:
            self._clean_delimiter(endpoint)
        return cleaned

    def _clean_delimiter(self, endpoint: Endpoint) -> None:
        given = {name: self.cleaned_data.get(name, "") for name in ("mode", "delimiter")}
        found = self.cleaned_data["delimiter"] = delimiter_of(given["mode"], given["delimiter"], endpoint)
        if found and (why := delimiters.problem(found)):
            self.add_error("delimiter", why)

    def is_kept(self) -> bool:
        return bool(self.cleaned_data.get("name")) and not self.cleaned_data.get("DELETE")

    def choice(self) -> SystemChoice:
        return SystemChoice(**{name: self.cleaned_data[name] for name in SystemForm.base_fields})


class BaseSystems(BaseFormSet[SystemForm]):
    def kept(self) -> list[SystemForm]:
        return [form for form in self.forms if form.is_kept()]

    def clean(self) -> None:
        names = [form.cleaned_data["name"].casefold() for form in self.kept()]
        if len(set(names)) < len(names):
            raise forms.ValidationError("Two systems of one study need different names.")


Systems = formset_factory(
    SystemForm, formset=BaseSystems, extra=0, can_delete=True, max_num=MOST_SYSTEMS, validate_max=True,
    absolute_max=MOST_SYSTEMS + 5,
)  # fmt: skip


class SystemsForm(StepForm):
    """Where theme and characters come from, and the systems, as a formset beside the form."""

    corpus = forms.ModelChoiceField(
        Corpus.objects.listed(),
        label="Theme and characters from",
        empty_label=None,
        help_text="Every original with a theme or characters is a background that testers can chat about.",
    )
    background_count = forms.IntegerField(
        label="How many backgrounds",
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text="Each system is chatted with about each of them. A sample is drawn by the seed; empty: all.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="The same seed gives the same sample, orders and pace."
    )

    def arrange(self) -> None:
        rows = self._rows()
        self.systems = cast(BaseSystems, Systems(self._with_one_more(), initial=rows, prefix=PREFIX))
        self.systems.extra = max(0, USUAL_SYSTEMS - len(rows))

    def parts(self) -> list[str]:
        return [*super().parts(), "systems"]

    def values_of(self, study: Study) -> dict[str, Any]:
        return {name: value for name, value in super().values_of(study).items() if name != "systems"}

    def is_valid(self) -> bool:
        both = [super().is_valid(), self.systems.is_valid()]
        return all(both)

    def changes(self) -> dict[str, Any]:
        given = {name: self.cleaned_data[name] for name in ("corpus", "background_count", "seed")}
        return {**given, "systems": [form.choice() for form in self.systems.kept()]}

    def selection(self) -> Selection:
        """What the posted choice selects, or the stored one if none was posted."""
        if not self.is_bound:
            return select(self.study)
        looked_at, changes = copy.copy(self.study), self.changes()
        systems = changes.pop("systems")
        for name, value in changes.items():
            setattr(looked_at, name, value)
        return select(looked_at, [system.name for system in systems])

    def shown_values(self) -> Iterator[tuple[BoundField, str]]:
        yield from super().shown_values()
        for row, system in zip(self.systems.forms, systems_of(self.study), strict=False):
            values = (system.endpoint, system.mode, system.delimiter, f"{system.temperature:g}", system.longest_reply)
            yield row["name"], f"{system.name}: {', '.join(str(value) for value in values if value)}"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {**{name: getattr(system, name) for name in SystemForm.base_fields}, "endpoint": system.endpoint.pk}
            for system in systems_of(self.study)
        ]

    def _with_one_more(self) -> Any:
        """What was sent, with another empty row if that was asked for."""
        sent: Any = self.data
        if not self.is_bound or "more" not in sent:
            return sent if self.is_bound else None
        sent, number = sent.copy(), whole_number(sent.get(TOTAL)) or 0
        if number < MOST_SYSTEMS:
            sent[TOTAL] = str(number + 1)
            for name, field in SystemForm.base_fields.items():
                sent[f"{PREFIX}-{number}-{name}"] = "" if field.initial is None else str(field.initial)
        return sent


class ConversationForm(StepForm):
    """The plan of the study's chats, the same for all systems."""

    pace = forms.ChoiceField(
        label="Pace of bubbles",
        choices=list(PACES.items()),
        help_text="How long a system seems to type before each bubble. It changes how human a chat feels, so it is the "
        "same for all systems.",
    )
    silence = forms.FloatField(
        label="Seconds of silence before a system answers",
        min_value=0,
        max_value=MOST_SILENCE,
        help_text="While a tester types, nothing is answered. Too short cuts into what they want to say.",
    )
    interruption = forms.ChoiceField(
        label="A message between two bubbles",
        choices=list(INTERRUPTIONS.items()),
        help_text="What a tester's message does while the reply still comes.",
    )
    least_turns = forms.IntegerField(
        label="Least turns",
        min_value=1,
        max_value=MOST_TURNS,
        help_text="Of the tester: all messages up to a reply are one turn. Before, a chat cannot be scored.",
    )
    most_turns = forms.IntegerField(
        label="Most turns",
        min_value=0,
        max_value=MOST_TURNS,
        help_text="After its reply the chat is over. 0: no limit. Each turn costs one call of the model, which reads "
        "the whole chat again.",
    )
    minutes = forms.IntegerField(
        label="Most minutes", min_value=0, max_value=MOST_MINUTES, help_text="From the first message on. 0: no limit."
    )
    chats_each = forms.IntegerField(
        label="Most chats a tester has",
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="Empty: as many as there are for them, at most one with each system about each background.",
    )
    chat_cap = forms.FloatField(
        label="One chat may cost, in US dollars",
        required=False,
        max_value=MOST_DOLLARS,
        help_text="The chat is over before a reply could cost more. Empty: no limit.",
    )
    budget = forms.FloatField(
        label="All chats together may cost, in US dollars",
        required=False,
        max_value=MOST_DOLLARS,
        help_text="Practice counts, too. Once it is spent, no system answers any more. Empty: no limit.",
    )
    practice = forms.BooleanField(
        label="Begin with a practice chat",
        required=False,
        help_text="With the first system, about a background that is not rated if there is one. It counts nowhere.",
    )

    asks_preference = forms.BooleanField(
        label="Ask at the end which system was better",
        required=False,
        help_text="Once a tester has scored their last chat. The two systems are called A and B, in the order in which "
        "the tester met them.",
    )

    def parts(self) -> list[str]:
        return ["chat_plan"]

    def values_of(self, study: Study) -> dict[str, Any]:
        return ChatPlan.of(study.chat_plan).as_json()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            for sentence in self._plan().problems():
                self.add_error(None, sentence)
        return cleaned

    def changes(self) -> dict[str, Any]:
        return {"chat_plan": self._plan().as_json()}

    def _plan(self) -> ChatPlan:
        return ChatPlan(**{name: self.cleaned_data[name] for name in ConversationForm.base_fields if name != "seen"})
