"""Plan a judge run; read what judges said, as tables and files."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from core.computation_views import outdated, waiting_page
from core.computations import Answer, answer
from core.downloads import TABLE_FORMS, table_file
from core.numbers import whole_numbers
from core.permissions import requires
from core.tables import Table
from dialogues.models import Corpus
from dialogues.sources import Sources
from generation.judgements.forms import CorpusForm, JudgeForm
from generation.judgements.judge_plan import create_judge_run
from generation.judgements.report import JudgeReport, judge_report
from generation.judgements.tables import marked
from generation.models import Endpoint, Prompt, Run, Stage
from generation.plans.run_plan import PlanError

PLAN_FIRST = "Its tables appear here as the scores of a judge run come in."
COUNTED_BELOW = "The questions asked so far and their results are counted below."


@require_http_methods(["GET", "POST"])
@requires("generation.add_run", "plan runs")
def judge_new(request: HttpRequest) -> HttpResponse:
    """For the corpus of the address; without one, the question which."""
    chosen = CorpusForm(request.GET)
    ready = Endpoint.objects.exists() and Prompt.objects.kept().filter(stage=Stage.JUDGE).exists()
    context: dict[str, Any] = {"ready": ready, "has_endpoint": Endpoint.objects.exists()}
    if not chosen.is_valid():
        context["corpus_form"] = CorpusForm() if Corpus.objects.listed().exists() else None
        return render(request, "generation/judge_new.html", context)
    corpus = chosen.cleaned_data["corpus"]
    form = JudgeForm(request.POST or None, corpus=corpus, sources=Sources.of(dict(request.GET.lists())))
    if request.method == "POST" and form.is_valid():
        try:
            run = create_judge_run(form.choice(), by=cast(User, request.user))
        except PlanError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            return redirect(run)
    context |= {"form": form, "corpus": corpus}
    return render(request, "generation/judge_new.html", context, status=422 if form.errors else 200)


@require_GET
@requires("generation.view_run", "see what judges said")
def judgements(request: HttpRequest, pk: int) -> HttpResponse:
    """The report of a corpus, or of the runs named in the address."""
    shown, runs, answered = _answered(request, pk)
    found, dashes = answered.found, _wants_dashes(request)
    if found is None:
        return _wait(request, shown, answered)
    context = {
        "corpus": shown,
        "found": found,
        "runs": runs,
        "judge_runs": Run.objects.filter(corpus=shown, stages=[Stage.JUDGE]),
        "tables": [_linked(request, shown, table) for table in found.tables(dashes=dashes).values()],
        "dashes": dashes,
        "has_dashes": found.has_dashes,
        "toggle": _query(runs, dashes=not dashes),
        "judge_url": f"{reverse('generation:judge_new')}?corpus={shown.pk}",
        "empty_text": COUNTED_BELOW if found.asked else PLAN_FIRST,
    }
    return render(request, "generation/judgements.html", context | outdated(request, answered))


@require_GET
@requires("generation.view_run", "see what judges said")
def judgements_table(request: HttpRequest, pk: int, table: str, form: str) -> HttpResponse:
    shown, _, answered = _answered(request, pk)
    found = answered.found
    if found is None:
        return _wait(request, shown, answered)
    chosen = _table_or_404(request, found, table)
    written = marked(chosen, has_demo=found.has_demo) if form == "csv" else chosen
    return table_file(request, written, form, _file_name(shown, table))


def _answered(request: HttpRequest, pk: int) -> tuple[Corpus, list[Run], Answer[JudgeReport]]:
    """The corpus, the judge runs that the address names (unknown ones are passed over), and what was said."""
    shown = get_object_or_404(Corpus, pk=pk)
    named = request.GET.getlist("run")
    judges = Run.objects.with_stages().filter(pk__in=whole_numbers(named), corpus=shown, stages=[Stage.JUDGE])
    runs = list(judges)
    if named and not runs:
        raise Http404("None of these is a judge run of this corpus.")
    return shown, runs, answer(judge_report(shown, runs))


def _wait(request: HttpRequest, corpus: Corpus, answered: Answer[JudgeReport]) -> HttpResponse:
    """What a page or file shows until there is a report."""
    assert answered.computation is not None
    crumbs = [(reverse("dialogues:corpora"), "Corpora"), (corpus.get_absolute_url(), corpus.name)]
    return waiting_page(request, answered.computation, f"Judgements of {corpus.name}", crumbs)


def _wants_dashes(request: HttpRequest) -> bool:
    return request.GET.get("dashes") != "0"


def _table_or_404(request: HttpRequest, found: JudgeReport, slug: str) -> Table:
    table = found.tables(dashes=_wants_dashes(request)).get(slug)
    if table is None:
        raise Http404("This report has no such table.")
    return table


def _query(runs: list[Run], *, dashes: bool) -> str:
    pairs = [("run", run.pk) for run in runs] + ([] if dashes else [("dashes", 0)])
    return f"?{urlencode(pairs)}"


def _linked(request: HttpRequest, corpus: Corpus, table: Table) -> dict[str, Any]:
    """A table with the addresses of its files."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return {
        "table": table,
        "files": {
            form: reverse("generation:judgements_table", args=[corpus.pk, table.slug, form]) + query
            for form in TABLE_FORMS
        },
    }


def _file_name(corpus: Corpus, table: str) -> str:
    return f"{slugify(corpus.name) or f'corpus-{corpus.pk}'}-judged-{table}"
