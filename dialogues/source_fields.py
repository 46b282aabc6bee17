"""Form fields that choose dialogues: one for every facet of `dialogues.sources` with more than one key."""

from typing import Any

from django import forms

from dialogues.models import Corpus
from dialogues.sources import FACETS, Sources


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
