"""Corpora, one corpus, one dialogue with its versions side by side."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, FloatField, QuerySet, Sum
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from core.permissions import requires
from dialogues.baseline import without_baseline
from dialogues.display import tidied, turns_for_template
from dialogues.formats.registry import FORMATS
from dialogues.forms import BesideForm, CorpusFilter, DialogueFilter
from dialogues.models import Corpus, Dialogue, ImportJob, Version
from dialogues.sources import Sources
from dialogues.views.reading_in_words import facts_of, tally_lines

CORPORA_A_PAGE = 20
DIALOGUES_A_PAGE = 50
NAMES = ("A", "B")


@require_GET
@requires("dialogues.view_corpus", "see corpora")
def corpora(request: HttpRequest) -> HttpResponse:
    form = CorpusFilter(request.GET)
    chosen = _chosen(form)
    found = Corpus.objects.listed().searched(chosen["q"]).with_version(chosen["version"])
    page = Paginator(found, CORPORA_A_PAGE).get_page(request.GET.get("page"))
    versions = _versions_in(page)
    rows = [{"corpus": corpus, "versions": versions.get(corpus.pk, [])} for corpus in page]
    filtered = bool(chosen["q"] or chosen["version"])
    importing = ImportJob.objects.open()[:10] if request.user.has_perm("dialogues.add_corpus") else []
    context = {"form": form, "page": page, "rows": rows, "filtered": filtered, "importing": importing}
    return render(request, "dialogues/corpora.html", context)


@require_GET
@requires("dialogues.view_corpus", "see corpora")
def corpus(request: HttpRequest, pk: int) -> HttpResponse:
    corpus = get_object_or_404(Corpus.objects.select_related("created_by"), pk=pk)
    form = DialogueFilter(request.GET, corpus)
    found = _found(corpus, _chosen(form), form.sources())
    context = {
        "corpus": corpus,
        "summary": _summary(corpus),
        "format_label": FORMATS[corpus.file_format].label if corpus.file_format in FORMATS else corpus.file_format,
        "facts": facts_of(corpus.reading),
        "reading": tally_lines(corpus.reading),
        "without_baseline": without_baseline(Dialogue.objects.filter(corpus=corpus)).count(),
        "form": form,
        "page": Paginator(found, DIALOGUES_A_PAGE).get_page(request.GET.get("page")),
        "filtered": any(request.GET.get(name) for name in ("q", "version")) or bool(form.sources()),
    }
    return render(request, "dialogues/corpus.html", context)


@require_GET
@requires("dialogues.view_corpus", "see dialogues")
def dialogue(request: HttpRequest, pk: int) -> HttpResponse:
    dialogue = get_object_or_404(Dialogue.objects.select_related("corpus", "version"), pk=pk)
    family = list(Dialogue.objects.family_of(dialogue).select_related("version", "parent"))
    shown = _shown(dialogue, family, request.GET)
    tidy = "tidy" in request.GET
    context = {
        "dialogue": dialogue,
        "theme": next((one.theme for one in (dialogue, *shown) if one.theme), ""),
        "characters": _characters([dialogue, *shown], tidy=tidy),
        "names": NAMES,
        "columns": [_column(one, tidy=tidy) for one in shown],
        "beside": BesideForm(family, shown),
        "family_size": len(family),
        "tidy": tidy,
        **_neighbours(dialogue),
    }
    return render(request, "dialogues/dialogue.html", context)


def _chosen(form: CorpusFilter) -> dict[str, str]:
    """The filter's values; invalid ones are ignored."""
    form.is_valid()
    version = form.cleaned_data.get("version")
    return {
        "q": form.cleaned_data.get("q", ""),
        "version": version.slug if version else "",
        "sort": form.cleaned_data.get("sort", ""),
    }


def _versions_in(page: Page[Corpus]) -> dict[int, list[dict[str, Any]]]:
    """The versions of each corpus on the page, in order, with their counts."""
    counted = (
        Dialogue.objects.filter(corpus__in=list(page))
        .order_by()
        .values("corpus_id", "version_id")
        .annotate(count=Count("pk"))
    )
    versions = Version.objects.in_bulk()
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in counted:
        found = {"version": versions[row["version_id"]], "count": row["count"]}
        rows.setdefault(row["corpus_id"], []).append(found)
    for found_rows in rows.values():
        found_rows.sort(key=lambda row: row["version"].position)
    return rows


def _summary(corpus: Corpus) -> list[dict[str, Any]]:
    """One row a version: dialogues, messages, turns, and their two means."""
    sums = (
        corpus.dialogues.order_by("version__position")
        .values("version_id", "version__position")
        .annotate(
            dialogues=Count("pk"),
            messages=Sum("message_count"),
            turns=Sum("turn_count"),
            words=Sum("whitespace_tokens"),
        )
    )
    versions = Version.objects.in_bulk()
    return [
        {
            **row,
            "version": versions[row["version_id"]],
            "words_per_message": row["words"] / row["messages"],
            "acmc": row["messages"] / row["turns"],
        }
        for row in sums
    ]


def _found(corpus: Corpus, chosen: dict[str, str], sources: Sources) -> QuerySet[Dialogue]:
    found = sources.narrow(corpus.dialogues.searched(chosen["q"]))
    if chosen["version"]:
        found = found.of_version(chosen["version"])
    sort = chosen["sort"]
    ratios = {"words": F("whitespace_tokens"), "acmc": F("message_count")}
    if sort.lstrip("-") in ratios:
        divisor = "message_count" if sort.endswith("words") else "turn_count"
        found = found.annotate(ratio=Cast(ratios[sort.lstrip("-")], FloatField()) / F(divisor))
        found = found.order_by("-ratio" if sort.startswith("-") else "ratio", "pk")
    elif sort:
        found = found.order_by(sort.replace("messages", "message_count"), "pk")
    return found.select_related("version").defer("messages", "traits_1", "traits_2", "theme")


def _shown(dialogue: Dialogue, family: list[Dialogue], choice: QueryDict) -> list[Dialogue]:
    """One dialogue a version: the chosen one, this one, or the latest; choosing "" leaves a version out."""
    by_version: dict[str, list[Dialogue]] = {}
    for one in family:
        by_version.setdefault(one.version_id, []).append(one)
    shown = []
    for slug, written in by_version.items():
        default = str(dialogue.pk) if dialogue in written else str(written[-1].pk)
        wanted = choice.get(slug, default)
        shown += [one for one in written if str(one.pk) == wanted]
    return shown or [dialogue]


def _characters(candidates: list[Dialogue], *, tidy: bool) -> dict[str, list[str]] | None:
    """The traits of the first dialogue that has any."""
    told = next((one for one in candidates if one.traits_1 or one.traits_2), None)
    if told is None:
        return None
    show = tidied if tidy else str
    return {"traits_1": list(map(show, told.traits_1)), "traits_2": list(map(show, told.traits_2))}


def _column(dialogue: Dialogue, *, tidy: bool) -> dict[str, Any]:
    return {
        "dialogue": dialogue,
        "turns": turns_for_template(dialogue.transcript, NAMES, tidy=tidy, times=dialogue.times),
    }


def _neighbours(dialogue: Dialogue) -> dict[str, Dialogue | None]:
    """The dialogues of the same version before and after it in the corpus."""
    same = Dialogue.objects.filter(corpus=dialogue.corpus_id, version=dialogue.version_id).only("pk", "key")
    return {
        "previous": same.filter(pk__lt=dialogue.pk).order_by("-pk").first(),
        "next": same.filter(pk__gt=dialogue.pk).order_by("pk").first(),
    }
