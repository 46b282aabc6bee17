"""Choose dialogues for training, gold and attention items, and set the expected scores: the form and its pages."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.design import checks
from annotation.design.selection import select
from annotation.design.step_forms import PlainText
from annotation.models import FrozenDesignError, Item, Study
from annotation.models.studies import FROZEN
from annotation.rating.blinding import scene
from core.fingerprint import StaleError
from core.numbers import asked_text
from core.permissions import person_of, requires
from dialogues.models import Dialogue, Version
from dialogues.rubric import Metric

PAGE = 25
PURPOSES = {
    Item.Purpose.TRAINING.value: "a training item",
    Item.Purpose.GOLD.value: "a gold item",
    Item.Purpose.ATTENTION.value: "an attention check",
}
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
    return {**expected, "tolerance": item.tolerance, "note": item.note, "seen": checks.shown(item)}


@require_GET
@requires("annotation.change_study", "choose training and checks")
def study_check_choose(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialogues of the study's corpus, with whether each is in its sample or taken already."""
    study = get_object_or_404(Study.objects.select_related("corpus"), pk=pk)
    if not study.is_draft:
        return _frozen(request, study)
    purpose, search, version = _purpose(request), asked_text(request.GET, "q"), asked_text(request.GET, "version")
    rows = study.corpus.dialogues.searched(search).select_related("version").order_by("pk")
    rows = rows.of_version(version) if version else rows
    taken = set(study.items.exclude(purpose=Item.Purpose.RATED).values_list("dialogue_id", flat=True))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    sampled = {choice.background for choice in select(study).choices}
    context = {
        "study": study,
        "purpose": purpose,
        "called": PURPOSES[purpose],
        "page": page,
        "rows": [_row(row, taken, sampled) for row in page],
        "search": search,
        "version": version,
        "versions": Version.objects.filter(dialogues__corpus=study.corpus).distinct(),
    }
    return render(request, "studies/check_choose.html", context)


@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "choose training and checks")
def study_check_add(request: HttpRequest, pk: int, dialogue: int) -> HttpResponse:
    study = get_object_or_404(Study.objects.select_related("corpus", "rubric"), pk=pk)
    row = get_object_or_404(study.corpus.dialogues.select_related("origin", "version"), pk=dialogue)
    if not study.is_draft:
        return _frozen(request, study)
    form = CheckForm(request.POST or None, study=study, purpose=_purpose(request), dialogue=row)
    if request.method == "POST" and form.is_valid():
        try:
            other = form.cleaned_data.get("other")
            checks.add_check(
                study=study, purpose=form.purpose, dialogue=row, other=other, by=person_of(request), **form.values()
            )
        except checks.CheckError as error:
            form.add_error(None, str(error))
        except FrozenDesignError:
            return _frozen(request, study)
        else:
            messages.success(request, f"{row.key} is {PURPOSES[form.purpose]}.")
            return redirect("study_step", pk, "checks")
    return _form_page(request, form, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "choose training and checks")
def study_check_edit(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    found = _item(pk, item)
    if not found.study.is_draft:
        return _frozen(request, found.study)
    form = CheckForm(
        request.POST or None, study=found.study, purpose=found.purpose, dialogue=found.dialogue, item=found
    )
    if request.method == "POST" and form.is_valid():
        try:
            checks.change_check(item=found, seen=form.cleaned_data["seen"], by=person_of(request), **form.values())
        except StaleError:
            return _conflict(request, form)
        except FrozenDesignError:
            return _frozen(request, found.study)
        messages.success(request, f"Saved: {found.dialogue.key}.")
        return redirect("study_step", pk, "checks")
    return _form_page(request, form, status=422 if form.errors else 200)


@require_POST
@requires("annotation.change_study", "choose training and checks")
def study_check_remove(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    found = _item(pk, item)
    try:
        checks.remove_check(item=found, by=person_of(request))
    except FrozenDesignError:
        return _frozen(request, found.study)
    messages.success(request, f"{found.dialogue.key} is removed.")
    return redirect("study_step", pk, "checks")


def _item(pk: int, item: int) -> Item:
    rows = Item.objects.exclude(purpose=Item.Purpose.RATED).filter(study=pk)
    return get_object_or_404(
        rows.select_related("study__rubric", "study__corpus", "dialogue__version", "other__version"), pk=item
    )


def _row(dialogue: Dialogue, taken: set[int], sampled: set[int]) -> dict[str, Any]:
    return {
        "dialogue": dialogue,
        "begins": next(iter(dialogue.transcript)).text,
        "is_taken": dialogue.pk in taken,
        "is_sampled": (dialogue.origin_id or dialogue.pk) in sampled,
    }


def _form_page(request: HttpRequest, form: CheckForm, *, status: int) -> HttpResponse:
    item, row = form.item, form.dialogue
    theme, traits = (item.theme, (item.traits_1, item.traits_2)) if item else (row.theme, (row.traits_1, row.traits_2))
    context = {
        "study": form.study,
        "form": form,
        "item": item,
        "dialogue": row,
        "called": PURPOSES[form.purpose],
        "scene": scene(row, theme, *traits, tidy=form.study.tidy_display, right=item.other if item else None),
    }
    return render(request, "studies/check.html", context, status=status)


def _conflict(request: HttpRequest, form: CheckForm) -> HttpResponse:
    """Show both texts after a conflict, or go back if the item is gone."""
    now = Item.objects.filter(pk=form.item.pk).first() if form.item else None
    if now is None:
        messages.error(request, "Somebody else has removed this item.")
        return redirect("study_step", form.study.pk, "checks")
    theirs = CheckForm(study=form.study, purpose=now.purpose, dialogue=form.dialogue, item=now)
    context = {"study": form.study, "form": form, "now": theirs, "seen": checks.shown(now), "item": now}
    return render(request, "studies/check_conflict.html", context, status=409)


def _frozen(request: HttpRequest, study: Study) -> HttpResponse:
    messages.error(request, FROZEN)
    return redirect("study_design", study.pk)


def _purpose(request: HttpRequest) -> str:
    given = request.GET.get("purpose", Item.Purpose.TRAINING)
    if given not in PURPOSES:
        raise Http404("A dialogue is kept for training, gold or attention.")
    return given
