"""Forms for choosing dialogues and asking people to restructure them."""

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict

from annotation.restructuring import seeds
from core.numbers import whole_number, whole_numbers
from dialogues.models import Corpus, Dialogue, Version
from dialogues.rubric import PAPER_SIX
from generation.models import Run, Stage

USUAL_VERSION = "gamma"
MOST_TICKED = 500
MOST = 10_000
HIGHEST_SEED = 999_999
SORTS = {
    "": "As written",
    **{f"-{name}": f"{words}, high first" for name, words in seeds.FIGURES.items()},
    **{name: f"{words}, low first" for name, words in seeds.FIGURES.items()},
}


class SeedFilter(forms.Form):
    """Which dialogues are listed, in what order, and how many are taken."""

    corpus = forms.ModelChoiceField(Corpus.objects.listed(), required=False, empty_label="Any corpus")
    run = forms.ModelChoiceField(Run.objects.none(), required=False, label="Written by run", empty_label="Any run")
    version = forms.ModelChoiceField(Version.objects.all(), required=False, empty_label="Any version")
    sort = forms.ChoiceField(required=False, choices=list(SORTS.items()), label="Sort by")
    metric = forms.ChoiceField(
        required=False,
        label="Judges' score of",
        choices=[("", "All metrics"), *((metric.key, metric.name) for metric in PAPER_SIX)],
    )
    untouched = forms.BooleanField(required=False, label="Only those that nobody was asked to restructure")
    n = forms.IntegerField(required=False, label="How many", min_value=1, max_value=MOST)
    seed = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, sent: QueryDict) -> None:
        data = sent.copy()
        data.setdefault("version", USUAL_VERSION)
        data.setdefault("n", "10")
        data.setdefault("seed", str(secrets.randbelow(HIGHEST_SEED) + 1))
        super().__init__(data)
        for name, words in seeds.FIGURES.items():
            for end, label in (("min", f"{words}, at least"), ("max", f"{words}, at most")):
                field = forms.FloatField(required=False, label=label, min_value=0)
                field.widget.attrs["step"] = "any"
                self.fields[f"{name}_{end}"] = field
        runs = Run.objects.exclude(stages=[Stage.JUDGE]).filter(corpus__is_scratch=False)
        corpus = whole_number(data.get("corpus"))
        self.fields["run"].queryset = runs.filter(corpus=corpus) if corpus else runs  # type: ignore[attr-defined]

    @property
    def choices(self) -> Iterator[forms.BoundField]:
        """The fields above the list."""
        return (self[name] for name in ("corpus", "run", "version", "sort", "metric"))

    @property
    def ranges(self) -> Iterator[forms.BoundField]:
        """The fields that filter by a figure."""
        for name in seeds.FIGURES:
            yield self[f"{name}_min"]
            yield self[f"{name}_max"]

    @property
    def is_narrowed(self) -> bool:
        """Whether the list is filtered by a figure, so that the page shows those fields."""
        return any(self.data.get(field.name) for field in self.ranges)

    def wanted(self) -> dict[str, Any]:
        """The valid values; an invalid value filters nothing and has an error at its field."""
        self.is_valid()
        return self.cleaned_data


class AskForm(forms.Form):
    """Who restructures the chosen dialogues."""

    dialogues = forms.CharField(required=False, widget=forms.HiddenInput)
    people = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label="Who restructures them",
        widget=forms.CheckboxSelectMultiple,
        help_text="Everybody you choose gets a copy of every dialogue. Two or more show how far people agree.",
        error_messages={"required": "Choose at least one person."},
    )
    instructions = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Shown above the dialogue. Plain text.",
    )

    despite = forms.CharField(
        required=False,
        max_length=300,
        label="Why they may restructure what they rate",
        help_text="Only if somebody rates in a study of these backgrounds. The study’s page then says so.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = seeds.annotators()
        field = self.fields["people"]
        field.queryset = people  # type: ignore[attr-defined]
        field.label_from_instance = _with_open_count  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Check the hidden field here, because it cannot show an error itself."""
        cleaned = super().clean() or self.cleaned_data
        keys = read_keys(cleaned.get("dialogues", ""))
        there = Dialogue.objects.filter(pk__in=keys, corpus__is_scratch=False)
        if not keys or there.count() != len(keys):
            raise forms.ValidationError("Some of these dialogues are gone. Choose again.")
        return {**cleaned, "dialogues": sorted(keys)}


def read_keys(text: str) -> set[int]:
    """Read `12-15-18`, the form in which addresses and hidden fields carry chosen dialogues."""
    return set(whole_numbers(text.split("-")))


def write_keys(keys: Iterable[int]) -> str:
    return "-".join(map(str, sorted(keys)))


def _with_open_count(person: Any) -> str:
    return f"{person.get_username()} ({person.open_count} open)" if person.open_count else person.get_username()
