"""Forms of the pages of corpora, and the fields with which forms of several pages choose among a corpus's sources."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.timezone import localtime

from dialogues.corpus_figures import Counted
from dialogues.coverage import coverage_of
from dialogues.models import Corpus, Dialogue, Version
from dialogues.sources import FACETS, Sources

SORTS = {
    "": "As imported",
    "-words": "Most words a message",
    "words": "Fewest words a message",
    "-acmc": "Highest ACMC",
    "acmc": "Lowest ACMC",
    "-messages": "Most messages",
    "messages": "Fewest messages",
}


def version_field() -> forms.ModelChoiceField[Version]:
    return forms.ModelChoiceField(Version.objects.all(), required=False, label="Version", empty_label="Any version")


class SourceFields(forms.Form):
    """A form with these fields; `dialogues/_sources.html` shows them."""

    def offer_sources(self, corpus: Corpus, chosen: Sources, *, without: tuple[str, ...] = ()) -> None:
        """Add a field for every facet that has several keys in the corpus or a chosen key, with the chosen keys ticked.

        A chosen key that the corpus does not have is shown too, so that people can untick it.
        """
        ticked = chosen.as_json()
        for name, facet in FACETS.items():
            if name in self.fields and name not in without:
                raise ValueError(f"The form has a field {name!r} of its own")
            known = [] if name in without else facet.choices(corpus)
            there = dict(known)
            known += [(key, f"{key} (not in this corpus)") for key in ticked.get(name, ()) if key not in there]
            if name not in without and (len(known) > 1 or name in ticked):
                self.fields[name] = forms.MultipleChoiceField(
                    label=f"{facet.label}s",
                    required=False,
                    choices=[(str(key), label) for key, label in known],
                    initial=[str(key) for key in ticked.get(name, ())],
                    widget=forms.CheckboxSelectMultiple,
                )

    @property
    def source_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.source_names]

    @property
    def source_names(self) -> list[str]:
        return [name for name in FACETS if isinstance(self.fields.get(name), forms.MultipleChoiceField)]

    @property
    def any_chosen(self) -> bool:
        return any(field.value() for field in self.source_fields)

    def sources(self) -> Sources:
        """What was chosen in a valid form."""
        cleaned: dict[str, Any] = self.cleaned_data
        return Sources.of({name: cleaned.get(name, ()) for name in self.source_names})


class CorpusFilter(forms.Form):
    q = forms.CharField(required=False, max_length=200, label="Search", widget=forms.SearchInput)
    version = version_field()


class DialogueFilter(SourceFields, CorpusFilter):
    sort = forms.ChoiceField(required=False, choices=list(SORTS.items()), label="Sort by")

    def __init__(self, data: QueryDict, corpus: Corpus) -> None:
        super().__init__(data)
        self.offer_sources(corpus, Sources.of(dict(data.lists())))


class SourcesForm(SourceFields):
    """The versions and sources that a page of figures counts; none ticked means all."""

    def __init__(self, corpus: Corpus, counted: Counted) -> None:
        super().__init__()
        coverage = coverage_of(counted.sources.narrow(corpus.dialogues.all()))
        versions = Version.objects.filter(dialogues__corpus=corpus).distinct()
        self.fields["version"] = forms.MultipleChoiceField(
            label="Versions",
            required=False,
            choices=[(row.pk, f"{row.symbol} – {row.name}: {coverage.says(row.pk)}") for row in versions],
            initial=counted.versions,
            widget=forms.CheckboxSelectMultiple,
        )
        self.offer_sources(corpus, counted.sources)


class BesideForm(forms.Form):
    """The dialogue of each version to show beside the others; one field a version."""

    def __init__(self, family: list[Dialogue], shown: list[Dialogue]) -> None:
        super().__init__(data={dialogue.version_id: str(dialogue.pk) for dialogue in shown})
        for version in dict.fromkeys(dialogue.version for dialogue in family):
            written = [dialogue for dialogue in family if dialogue.version == version]
            choices = [("", "not shown"), *((str(dialogue.pk), _writer(dialogue)) for dialogue in written)]
            self.fields[version.slug] = forms.ChoiceField(required=False, label=str(version), choices=choices)


def _writer(dialogue: Dialogue) -> str:
    if dialogue.is_original:
        return "as imported"
    written = date_format(localtime(dialogue.created_at), "j M Y")
    return f"{dialogue.written_by or 'writer not named'}, {written} (no. {dialogue.pk})"
