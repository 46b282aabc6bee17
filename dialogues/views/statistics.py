"""The statistics page of a corpus, and its tables and figures as files."""

from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.utils.text import slugify
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from core.computation_views import outdated, waiting_page
from core.computations import Answer, answer
from core.downloads import TABLE_FORMS, inline, table_file, whole_file
from core.numbers import asked_texts
from core.permissions import requires
from dialogues.charts import FIGURES, FILE_FORMATS, THEMES, FileFormat, on_paper, rendered, viewer_script
from dialogues.corpus_figures import Counted, figures_result, has_uneven_backgrounds
from dialogues.forms import SourcesForm
from dialogues.models import Corpus
from dialogues.sources import Sources
from dialogues.statistics.figures import CorpusFigures
from dialogues.statistics.words_and_turns import TOKENIZERS, Tokenizer
from dialogues.statistics_tables import choice, statistics_tables

TOKENIZER_LABELS: dict[Tokenizer, str] = {"whitespace": "Whitespace tokens", "words": "Words only"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The page's switches and filter; unknown values in the address count as the default."""

    tokenizer: Tokenizer
    counted: Counted

    @classmethod
    def of(cls, request: HttpRequest) -> "Selection":
        asked = request.GET.get("tokens", "")
        tokenizer = asked if asked in TOKENIZERS else "whitespace"
        counted = Counted(
            versions=asked_texts(request.GET.getlist("version")),
            sources=Sources.of(dict(request.GET.lists())),
            shared_only=request.GET.get("backgrounds") == "shared",
            every=request.GET.get("count") == "every",
        )
        return cls(tokenizer, counted)

    @property
    def query(self) -> str:
        """The query string for a file with the same selection."""
        counted = self.counted
        pairs: list[tuple[str, object]] = [
            ("tokens", self.tokenizer),
            ("backgrounds", "shared" if counted.shared_only else "all"),
            *(("version", slug) for slug in counted.versions),
            *counted.sources,
            *([("count", "every")] if counted.every else []),
        ]
        return "?" + urlencode(pairs)

    def counting(self, **changes: Any) -> "Selection":
        return replace(self, counted=replace(self.counted, **changes))

    def figures(self, corpus: Corpus) -> Answer[CorpusFigures]:
        return answer(figures_result(corpus, self.tokenizer, self.counted))


def _wait(request: HttpRequest, corpus: Corpus, answered: Answer[CorpusFigures]) -> HttpResponse:
    """What a page or file shows until there are figures."""
    assert answered.computation is not None
    crumbs = [(reverse("dialogues:corpora"), "Corpora"), (corpus.get_absolute_url(), corpus.name)]
    return waiting_page(request, answered.computation, f"Statistics of {corpus.name}", crumbs)


@require_GET
@requires("dialogues.view_corpus", "see a corpus's statistics")
def statistics(request: HttpRequest, pk: int) -> HttpResponseBase:
    corpus = get_object_or_404(Corpus, pk=pk)
    selection = Selection.of(request)
    answered = selection.figures(corpus)
    figures = answered.found
    if figures is None:
        return _wait(request, corpus, answered)
    context = {
        "corpus": corpus,
        "figures": figures,
        "demo": [version.symbol for version in figures.versions if version.by_demo],
        "tables": [
            {"table": table, "files": {form: table_url(corpus, slug, form, selection) for form in TABLE_FORMS}}
            for slug, table in statistics_tables(figures).items()
        ],
        "charts": [
            {"figure": figure, **{form: chart_url(corpus, slug, form, selection) for form in (*FILE_FORMATS, "json")}}
            for slug, figure in FIGURES.items()
        ],
        "tokenizer_links": [
            (label, replace(selection, tokenizer=tokenizer).query, tokenizer == selection.tokenizer)
            for tokenizer, label in TOKENIZER_LABELS.items()
        ],
        "background_links": background_links(corpus, selection),
        "form": SourcesForm(corpus, selection.counted),
        "selection": selection,
        "choice": choice(figures),
        "count_links": count_links(selection) if figures.again else [],
    }
    return render(request, "dialogues/statistics.html", context | outdated(request, answered))


def background_links(corpus: Corpus, selection: Selection) -> list[tuple[str, str, bool]]:
    """The second switch, if it makes a difference."""
    if not has_uneven_backgrounds(corpus, selection.counted):
        return []
    return [
        (label, selection.counting(shared_only=shared).query, shared == selection.counted.shared_only)
        for label, shared in (("All dialogues", False), ("Shared backgrounds only", True))
    ]


def count_links(selection: Selection) -> list[tuple[str, str, bool]]:
    """The third switch, if some version was written more than once for a background."""
    return [
        (label, selection.counting(every=every).query, every == selection.counted.every)
        for label, every in (("One a background", False), ("Every dialogue", True))
    ]


def table_url(corpus: Corpus, slug: str, form: str, selection: Selection) -> str:
    return reverse("dialogues:statistics_table", args=[corpus.pk, slug, form]) + selection.query


def chart_url(corpus: Corpus, slug: str, form: str, selection: Selection) -> str:
    return reverse("dialogues:statistics_chart", args=[corpus.pk, slug, form]) + selection.query


@require_GET
@requires("dialogues.view_corpus", "see a corpus's statistics")
def statistics_table(request: HttpRequest, pk: int, slug: str, form: str) -> HttpResponseBase:
    corpus = get_object_or_404(Corpus, pk=pk)
    selection = Selection.of(request)
    answered = selection.figures(corpus)
    if answered.found is None:
        return _wait(request, corpus, answered)
    table = statistics_tables(answered.found).get(slug)
    return table_file(request, table, form, file_name(corpus, slug, selection))


@require_GET
@requires("dialogues.view_corpus", "see a corpus's statistics")
def statistics_chart(request: HttpRequest, pk: int, slug: str, form: str) -> HttpResponseBase:
    """A figure as `svg` for the page, as `json` (its specification), or as a file to keep (`download=1`)."""
    corpus = get_object_or_404(Corpus, pk=pk)
    if slug not in FIGURES or form not in (*FILE_FORMATS, "json"):
        raise Http404("There is no such figure.")
    selection = Selection.of(request)
    theme = THEMES["dark" if request.GET.get("theme") == "dark" else "light"]
    answered = selection.figures(corpus)
    if answered.found is None:
        return _wait(request, corpus, answered)
    spec = FIGURES[slug].draw(answered.found, theme)
    if form == "json":
        return JsonResponse(spec)
    download = "download" in request.GET
    file_format = cast(FileFormat, form)
    content, tag = rendered(on_paper(spec, theme) if download else spec, file_format)
    name = f"{file_name(corpus, slug, selection)}.{form}"
    return tagged(request, whole_file(content, name) if download else inline(content, form), tag)


@require_GET
@requires("dialogues.view_corpus", "see a corpus's statistics")
@gzip_page
def chart_script(request: HttpRequest) -> HttpResponseBase:
    content, tag = viewer_script()
    return tagged(request, inline(content, "js"), tag)


def file_name(corpus: Corpus, slug: str, selection: Selection) -> str:
    """An ASCII file name without its extension; a corpus whose name has no ASCII letter goes by its number."""
    return f"{slugify(corpus.name) or f'corpus-{corpus.pk}'}-{slug}-{selection.tokenizer}"


def tagged(request: HttpRequest, response: HttpResponse, tag: str) -> HttpResponseBase:
    """The response with its entity tag, or 304 if the browser has it already."""
    etag = quote_etag(tag)
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return get_conditional_response(request, etag=etag, response=response) or response
