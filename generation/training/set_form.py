"""The form of a new training set: few fields first, the rest of the recipe behind them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django import forms

from dialogues.coverage import coverage_of
from dialogues.forms import SourceFields
from dialogues.models import Corpus, Version
from dialogues.sources import ANY, Sources
from generation.training import filters
from generation.training.building import LONGEST_NAME
from generation.training.delimiter import DEFAULT, LONGEST
from generation.training.filter_values import Flag, Scores, WholeNumber
from generation.training.filters import TrainingFilter
from generation.training.recipe import MOST_HELD_OUT, Recipe, RecipeError
from generation.training.rendering import DEFAULT_SYSTEM, PLACEHOLDERS

LARGEST_SEED = 2**31 - 1
_KINDS = (("dialogues", "Dialogues, to learn from"), ("preferences", "Preferences, a better reply over a worse one"))
_PLAIN = ("kind", "preferred_by", "better", "worse", "delimiter", "system", "opener", "seed")


class FilterFields(NamedTuple):
    filter: TrainingFilter
    fields: list[forms.BoundField]


class TrainingSetForm(SourceFields):
    """Nothing is written by it; `recipe` gives what was chosen."""

    name = forms.CharField(max_length=LONGEST_NAME, help_text="Built again under the same name, it is a new version.")
    kind = forms.ChoiceField(choices=_KINDS, initial="dialogues", widget=forms.RadioSelect, label="What it holds")
    versions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    sides = forms.TypedMultipleChoiceField(
        choices=[(1, "Speaker 1"), (2, "Speaker 2")],
        initial=[1, 2],
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        label="The model plays",
        help_text="Each dialogue is an example from each side that is ticked.",
    )
    preferred_by = forms.ChoiceField(label="What decides which is better", required=False)
    better = forms.ChoiceField(required=False, label="Better version")
    worse = forms.ChoiceField(required=False, label="Worse version")
    metric = forms.ChoiceField(required=False, label="Metric", help_text="For preferences by score.")
    margin = forms.FloatField(required=False, min_value=0, max_value=1000, initial=1, label="At least so far apart")
    shared_words_only = forms.BooleanField(
        required=False,
        label="Only replies after the same words",
        help_text="Otherwise replies at the same place are compared, whatever was said before in the worse dialogue.",
    )
    delimiter = forms.CharField(
        max_length=LONGEST,
        initial=DEFAULT,
        strip=False,
        help_text="Stands between two messages of one turn. Plain text that no dialogue holds.",
    )
    system = forms.CharField(
        required=False,
        initial=DEFAULT_SYSTEM,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        label="System message",
        help_text="; ".join(f"{{{name}}}: {words}" for name, words in PLACEHOLDERS.items()),
    )
    opener = forms.CharField(
        required=False,
        max_length=200,
        label="What the user says where the model begins",
        help_text="Empty: a first turn of the model is cut, as nobody had asked for it.",
    )
    validation = forms.FloatField(min_value=0, max_value=MOST_HELD_OUT, initial=0.05, label="Share for validation")
    test = forms.FloatField(min_value=0, max_value=MOST_HELD_OUT, initial=0.05, label="Share for testing")
    seed = forms.IntegerField(
        min_value=0, max_value=LARGEST_SEED, initial=0, help_text="The same seed splits backgrounds in the same way."
    )

    def __init__(self, *args: Any, corpus: Corpus, sources: Sources = ANY, **kwargs: Any) -> None:
        """`sources`: the form's initial sources."""
        super().__init__(*args, **kwargs)
        self.corpus = corpus
        self.offer_sources(corpus, sources)
        self._offer_versions()
        self._offer_scores()
        for one in filters.in_order():
            self.fields.update(self._fields_of(one))

    def _offer_versions(self) -> None:
        coverage = coverage_of(self.corpus.dialogues.all())
        rows = list(Version.objects.filter(pk__in=coverage.versions))
        labels = [(row.pk, f"{row.symbol} – {row.name}: {coverage.says(row.pk)}") for row in rows]
        usual = [slug for slug in ("stephanie", *reversed([*coverage.versions])) if slug in coverage.versions]
        self._choose("versions", labels, usual[:1])
        names = [(row.pk, f"{row.symbol} – {row.name}") for row in rows]
        self._choose("better", names, usual[0] if usual else "")
        self._choose("worse", names, "beta" if "beta" in coverage.versions else "")

    def _offer_scores(self) -> None:
        self._metrics = {name: source.metrics(self.corpus) for name, source in filters.SCORES.items()}
        scored = [(name, filters.SCORES[name].label) for name, metrics in self._metrics.items() if metrics]
        self._choose("preferred_by", [("version", "The version"), *scored], "version")
        metrics = sorted({metric for known in self._metrics.values() for metric in known})
        self._choose("metric", [("", "none"), *((name, name) for name in metrics)], "")

    def _choose(self, name: str, choices: list[tuple[str, str]], initial: Any) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields[name].initial = initial

    def _fields_of(self, one: TrainingFilter) -> Iterator[tuple[str, forms.Field]]:
        name = f"filter_{one.name}"
        shown: dict[str, Any] = {"required": False, "label": one.label, "help_text": one.help}
        if isinstance(one.value, Flag):
            yield name, forms.BooleanField(initial=one.usual, **shown)
        elif isinstance(one.value, WholeNumber):
            yield name, forms.IntegerField(min_value=1, max_value=10**9, **shown)
        elif not isinstance(one.value, Scores):
            yield name, forms.FloatField(min_value=0, max_value=1, **shown)
        elif metrics := self._metrics[one.name]:
            choices = [("", "any score or none"), *((metric, metric) for metric in metrics)]
            yield f"{name}_metric", forms.ChoiceField(choices=choices, **shown)
            yield f"{name}_at_least", forms.FloatField(required=False, label="At least")
            yield f"{name}_at_most", forms.FloatField(required=False, label="At most")

    @property
    def filter_fields(self) -> list[FilterFields]:
        """By filter in order, with those that the corpus has something for."""
        found = [
            FilterFields(one, [self[name] for name in self.fields if _belongs(name, one)]) for one in filters.in_order()
        ]
        return [row for row in found if row.fields]

    @property
    def usual_filters(self) -> list[FilterFields]:
        """Those that are on unless a person says otherwise."""
        return [row for row in self.filter_fields if row.filter.usual is not None]

    @property
    def other_filters(self) -> list[FilterFields]:
        return [row for row in self.filter_fields if row.filter.usual is None]

    @property
    def narrows(self) -> bool:
        """Whether one of the other filters is on, or wrong."""
        return any(field.value() or field.errors for row in self.other_filters for field in row.fields)

    def recipe(self) -> Recipe:
        """What was chosen in a valid form; raises RecipeError."""
        given = self.cleaned_data
        return Recipe.of(
            {
                **{name: given[name] for name in _PLAIN},
                "corpus": self.corpus.pk,
                "versions": given["versions"],
                "sides": given["sides"],
                "metric": given["metric"] or "",
                "margin": given["margin"] or 0.0,
                "shared_words_only": given["shared_words_only"],
                "validation": given["validation"],
                "test": given["test"],
                "sources": self.sources().as_json(),
                "filters": filters.checked(dict(self._values()), self.corpus),
            }
        )

    def _values(self) -> Iterator[tuple[str, Any]]:
        for row in self.filter_fields:
            value: Any = self.cleaned_data.get(f"filter_{row.filter.name}")
            if isinstance(row.filter.value, Scores):
                value = {end: self.cleaned_data[f"filter_{row.filter.name}_{end}"] for end in _ENDS}
                value = value if any(one not in (None, "") for one in value.values()) else None
            if value is not None and value is not False:
                yield row.filter.name, value

    def add_refusal(self, refused: RecipeError) -> None:
        """Show it at the field that it is about."""
        self.add_error(refused.field if refused.field in self.fields else None, str(refused))


_ENDS = ("metric", "at_least", "at_most")


def _belongs(name: str, one: TrainingFilter) -> bool:
    field = f"filter_{one.name}"
    return name == field or name in [f"{field}_{end}" for end in _ENDS]
