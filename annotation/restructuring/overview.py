"""The researcher's list of all restructurings."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import QueryDict

from annotation.models import Restructuring
from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript


class OverviewFilter(forms.Form):
    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *Restructuring.State.choices])
    annotator = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Anybody")
    corpus = forms.ModelChoiceField(Corpus.objects.none(), required=False, empty_label="Any corpus")

    def __init__(self, sent: QueryDict) -> None:
        super().__init__(sent)
        mine = Restructuring.objects.filter(annotator=OuterRef("pk"))
        self.fields["annotator"].queryset = User.objects.filter(Exists(mine)).order_by("username")  # type: ignore[attr-defined]
        there = Restructuring.objects.filter(original__corpus=OuterRef("pk"))
        self.fields["corpus"].queryset = Corpus.objects.filter(Exists(there))  # type: ignore[attr-defined]

    def found(self) -> QuerySet[Restructuring]:
        """The matching restructurings, the newest first; invalid values are ignored."""
        self.is_valid()
        names = {"state": "state", "annotator": "annotator", "corpus": "original__corpus"}
        chosen = {path: self.cleaned_data[name] for name, path in names.items() if self.cleaned_data.get(name)}
        rows = Restructuring.objects.filter(**chosen).select_related(
            "annotator", "reviewer", "original__corpus", "original__version"
        )
        return rows.defer("original__messages", "original__theme", "original__traits_1", "original__traits_2")

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


@dataclass(frozen=True, slots=True)
class RestructuringLine:
    """One restructuring with the counts of its present text."""

    row: Restructuring
    now: Dialogue

    @property
    def kept(self) -> float:
        return 100 * self.row.kept


def lines(rows: list[Restructuring]) -> list[RestructuringLine]:
    return [RestructuringLine(row, Dialogue.from_transcript(Transcript.of(row.messages))) for row in rows]


def counts() -> list[dict[str, Any]]:
    """How many there are in each state, in the order of states."""
    found = dict(Restructuring.objects.order_by().values_list("state").annotate(Count("pk")))
    return [{"label": state.label, "state": state.value, "count": found.get(state, 0)} for state in Restructuring.State]
