"""The form by which an upload is read differently: another format, the people of a group, silences, dates."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from dialogues.formats.reading import ISOLATED
from dialogues.formats.records import MOST_NAMED, NAME_LENGTH
from dialogues.formats.registry import AUTO, FORMATS
from dialogues.previews import Preview
from dialogues.waiting import Waiting

FORMAT_CHOICES = [(AUTO, "Detect from the file"), *((form.name, form.label) for form in FORMATS.values())]
SILENCES = {"": "Never", "1": "1 hour", "4": "4 hours", "8": "8 hours", "24": "1 day"}
ORDERS = {"": "As the file shows", "dmy": "Day, month, year", "mdy": "Month, day, year", "ymd": "Year, month, day"}
NAME_LETTERS = 60
PEOPLE_FIELDS = ("person_1", "person_2", "other_1", "other_2")


class ReadingForm(forms.Form):
    """How to read an upload anew; only what its form leaves open is asked."""

    file_format = forms.ChoiceField(label="Format", choices=FORMAT_CHOICES)
    deduplicate = forms.BooleanField(required=False, label="Leave out repeated dialogues")
    person_1 = forms.ChoiceField(required=False, label="First person to keep")
    person_2 = forms.ChoiceField(required=False, label="Second person to keep")
    other_1 = forms.CharField(
        required=False,
        max_length=NAME_LENGTH,
        label="First person, if not listed",
        help_text=f"The list shows the {MOST_NAMED} people who write most. Write a name as the file does.",
    )
    other_2 = forms.CharField(required=False, max_length=NAME_LENGTH, label="Second person, if not listed")
    silence = forms.ChoiceField(required=False, choices=list(SILENCES.items()), label="New dialogue after a silence of")
    date_order = forms.ChoiceField(required=False, choices=list(ORDERS.items()), label="Dates are written as")

    def __init__(self, data: Any, waiting: Waiting, found: Preview) -> None:
        people = found.report.people
        hours = "" if waiting.silence_hours is None else f"{waiting.silence_hours:g}"
        initial = {name: getattr(waiting, name) for name in ("file_format", "deduplicate", "date_order")}
        super().__init__(data, initial=initial | {"silence": hours} | _chosen_people(waiting.people, people))
        if not found.is_private:
            for name in ("silence", "date_order"):
                del self.fields[name]
        for name in ("person_1", "person_2"):
            self.fields[name].choices = _people_options(people)  # type: ignore[attr-defined]
            if not people:
                del self.fields[name]
        if len(people) < MOST_NAMED:
            for name in ("other_1", "other_2"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        chosen: dict[str, Any] = self.cleaned_data
        people = self._people()
        if len(people) == 1 or len(set(people)) < len(people):
            self.add_error(self.people[-1].name, "Choose two different people, or leave both empty.")
        return chosen

    @property
    def people(self) -> list[forms.BoundField]:
        return [self[name] for name in PEOPLE_FIELDS if name in self.fields]

    @property
    def others(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in PEOPLE_FIELDS]

    def _people(self) -> tuple[str, ...]:
        chosen = self.cleaned_data
        named = (chosen.get(f"other_{number}") or chosen.get(f"person_{number}", "") for number in (1, 2))
        return tuple(name for name in named if name)

    def changes(self) -> dict[str, Any]:
        """What a valid form changes in the waiting upload."""
        chosen = self.cleaned_data
        silence = chosen.get("silence")
        return {
            "file_format": chosen["file_format"],
            "deduplicate": chosen["deduplicate"],
            "people": self._people(),
            "silence_hours": float(silence) if silence else None,
            "date_order": chosen.get("date_order", ""),
        }


def _people_options(people: Mapping[str, int]) -> list[tuple[str, str]]:
    return [("", "–"), *((name, _person_option(name, count)) for name, count in people.items())]


def _person_option(name: str, count: int) -> str:
    shown = name if len(name) <= NAME_LETTERS else f"{name[:NAME_LETTERS].rstrip()} …"
    return f"{ISOLATED.format(shown)} – {count:,} message{'s' if count > 1 else ''}"


def _chosen_people(chosen: Sequence[str], people: Mapping[str, int]) -> dict[str, str]:
    """The two who are kept now, each where the form asks for a name that is listed or for one that is not."""
    return {f"{'person' if name in people else 'other'}_{number}": name for number, name in enumerate(chosen, 1)}
