"""The form of a training, gold or attention item: expected scores, tolerance, and a note."""

from collections.abc import Iterable
from typing import Any

from django import forms

from annotation.design.checks import shown
from annotation.design.step_forms import PlainText
from annotation.models import Item, Study
from dialogues.models import Dialogue
from dialogues.rubric import Metric

PREFIX = "expect-"
SIDES = {-1: "left is better", 0: "no difference", 1: "right is better"}
NOTE_HELP = {
    Item.Purpose.TRAINING: "Told to the rater after they scored it: why these are good scores.",
    Item.Purpose.GOLD: "For you and your colleagues; raters do not see it.",
    Item.Purpose.ATTENTION: "What raters are asked, word for word. Empty: a sentence made from the points below.",
}


class CheckForm(forms.Form):
    """One field for each question, named by its key; in a study of pairs, left is this dialogue and right the other."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    other = forms.ModelChoiceField(Dialogue.objects.none(), label="Beside", empty_label=None)
    tolerance = forms.IntegerField(
        label="Points that a score may be off",
        min_value=0,
        max_value=100,
        initial=1,
        help_text="0: only the expected score is right.",
    )
    note = PlainText(rows=4, max_length=5000)

    def __init__(
        self, data: Any = None, *, study: Study, purpose: str, dialogue: Dialogue, item: Item | None = None
    ) -> None:
        self.study, self.purpose, self.dialogue, self.item = study, purpose, dialogue, item
        super().__init__(data, initial=_of(item) if item else None)
        self.fields["note"].help_text = NOTE_HELP[Item.Purpose(purpose)]
        self.fields["note"].label = "Feedback" if purpose == Item.Purpose.TRAINING else "Note"
        self._fit_other()
        if purpose == Item.Purpose.ATTENTION:
            self.fields["note"].label = "What the rater is asked"
            del self.fields["tolerance"]
        points = list(SIDES) if study.compares else list(study.rubric.scale.values())
        for metric in self._may_be_asked():
            words = SIDES if study.compares else _words(points, metric.points)
            self.fields[PREFIX + metric.key] = forms.TypedChoiceField(
                label=metric.name,
                required=False,
                coerce=int,
                empty_value=None,
                choices=[("", "any point"), *((value, words[value]) for value in points)],
            )
        self.order_fields(["seen", "other", *(name for name in self.fields if name.startswith(PREFIX))])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.expected():
            raise forms.ValidationError("Choose the expected point of at least one question.")
        if not self.errors:
            self._refuse_unasked()
        return cleaned

    def expected(self) -> dict[str, int]:
        """The chosen points by metric key."""
        given = {
            name.removeprefix(PREFIX): value for name, value in self.cleaned_data.items() if name.startswith(PREFIX)
        }
        return {key: value for key, value in given.items() if value is not None}

    def values(self) -> dict[str, Any]:
        """The item's fields, apart from its dialogues."""
        expected = self.expected()
        note = self.cleaned_data["note"]
        if self.purpose == Item.Purpose.ATTENTION and not note:
            note = asked(self.study, self._asked(), expected)
        return {"expected": expected, "tolerance": self.cleaned_data.get("tolerance", 0), "note": note}

    def _may_be_asked(self) -> tuple[Metric, ...]:
        """The questions about the dialogue, whichever dialogue is chosen beside it."""
        return self.item.asked(self.study.rubric) if self.item else self._asked_of(self.dialogue)

    def _asked(self) -> tuple[Metric, ...]:
        """The questions that raters will be asked about the item."""
        other = self.cleaned_data.get("other")
        return self._asked_of(self.dialogue, other) if other else self._may_be_asked()

    def _asked_of(self, *dialogues: Dialogue) -> tuple[Metric, ...]:
        return self.study.rubric.metrics_for(*(row.version_id for row in dialogues))

    def _refuse_unasked(self) -> None:
        asked_for = {metric.key for metric in self._asked()}
        for key in self.expected().keys() - asked_for:
            self.add_error(PREFIX + key, "This is not asked about these two versions.")

    def _fit_other(self) -> None:
        if not self.study.compares or self.item is not None:
            del self.fields["other"]
            return
        family = Dialogue.objects.family_of(self.dialogue).exclude(pk=self.dialogue.pk).select_related("version")
        field = self.fields["other"]
        field.queryset = family  # type: ignore[attr-defined]
        field.label_from_instance = lambda row: f"{row.version.symbol} – {row.key}"  # type: ignore[attr-defined]


def asked(study: Study, questions: Iterable[Metric], expected: dict[str, int]) -> str:
    """The instruction of an attention check, as a sentence."""
    names = {metric.key: metric.name for metric in questions}
    said = {key: SIDES[value] if study.compares else str(value) for key, value in expected.items()}
    if len(set(said.values())) == 1 and set(said) == set(names):
        wish = f"choose “{next(iter(said.values()))}” for every question"
    else:
        wish = "choose " + ", ".join(f"“{value}” for {names[key]}" for key, value in said.items())
    return f"This one checks that the instructions are read. Whatever you think of it, please {wish}."


def _words(points: list[int], words: tuple[str, ...]) -> dict[int, str]:
    if len(words) != len(points):
        return {value: str(value) for value in points}
    return {value: f"{value} – {word}" for value, word in zip(points, words, strict=True)}


def _of(item: Item) -> dict[str, Any]:
    expected = {PREFIX + key: value for key, value in item.expected.items()}
    return {**expected, "tolerance": item.tolerance, "note": item.note, "seen": shown(item)}
