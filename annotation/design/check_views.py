"""Choose dialogues for training, gold and attention items, and set the expected scores."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.design import checks
from annotation.design.check_forms import CheckForm
from annotation.design.selection import select
from annotation.models import FrozenDesignError, Item, Study
from annotation.models.studies import FROZEN
from annotation.rating.blinding import scene
from core.fingerprint import StaleError
from core.numbers import asked_text
from core.permissions import person_of, requires
from dialogues.models import Dialogue, Version

PAGE = 25
PURPOSES = {
    Item.Purpose.TRAINING.value: "a training item",
    Item.Purpose.GOLD.value: "a gold item",
    Item.Purpose.ATTENTION.value: "an attention check",
}


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
