"""A researcher's pages: the list of studies, a draft and its preview, a study as it is rated."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.blinding import questions
from annotation.models import Rating, Study
from annotation.reports.preference_tables import preferences_of
from annotation.studies import design, members, unblinding
from annotation.studies.forms import CorpusForm, MemberForm, StudyForm
from annotation.studies.manage_views import possible
from annotation.studies.preview import preview
from annotation.studies.progress import LIVE_DRAWS, live_agreement, rater_table, wanted
from annotation.studies.raters import is_at_work
from annotation.studies.selection import select
from dialogues.models import Corpus
from dialogues.permissions import requires

PAGE = 25
# More than these are on a page of their own only.
MOST_RATERS = 25
MOST_DIGITS = 20


@require_GET
@requires("annotation.view_study", "see studies")
def studies(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    rows = Study.objects.select_related("corpus").prefetch_related("versions")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(corpus__name__icontains=search))
    rows = rows.annotate(raters=Count("memberships")).order_by("-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "studies/studies.html", {"page": page, "search": search})


@require_http_methods(["GET", "POST"])
@requires("annotation.add_study", "set up studies")
def study_new(request: HttpRequest) -> HttpResponse:
    """First the corpus, then the design that its versions allow."""
    corpus = _chosen_corpus(request)
    if corpus is None:
        return render(request, "studies/corpus.html", {"form": CorpusForm(), "any": Corpus.objects.listed().exists()})
    form = StudyForm(request.POST or None, corpus=corpus)
    if request.method == "POST" and form.is_valid():
        made = design.create_study(by=_person(request), versions=form.chosen_versions(), **form.design())
        return redirect(made)
    context = {"form": form, "corpus": corpus, "several_corpora": Corpus.objects.listed().count() > 1}
    return render(request, "studies/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "change studies")
def study_edit(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Study.objects.select_related("corpus"), pk=pk)
    if not found.is_draft:
        messages.error(request, "The design was frozen at launch and cannot be changed.")
        return redirect(found)
    form = StudyForm(request.POST or None, corpus=found.corpus, study=found)
    if request.method == "POST" and form.is_valid():
        versions = form.chosen_versions()
        return _done(request, found, design.change_study, "Saved.", versions=versions, **form.design())
    context = {"form": form, "corpus": found.corpus, "study": found}
    return render(request, "studies/edit.html", context, status=422 if form.errors else 200)


@require_GET
@requires("annotation.view_study", "see studies")
def study(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft with what a rater will see, or a launched study with its progress."""
    found = get_object_or_404(Study.objects.select_related("corpus", "rubric", "created_by"), pk=pk)
    if found.is_draft:
        return render(request, "studies/draft.html", _draft_context(request, found))
    raters = rater_table(found)
    context = {
        "study": found,
        "versions": found.versions.all(),
        "raters": raters[:MOST_RATERS],
        "rater_count": len(raters),
        "at_work": sum(is_at_work(row.membership) for row in raters),
        "actions": possible(found),
        "unblinded": unblinding.unblinded_by(found),
        "preferences": preferences_of(found) if found.compares and unblinding.shows_versions(found) else None,
        "draws": LIVE_DRAWS,
        "rated": Rating.objects.counted().for_study(found).count(),
        "wanted": wanted(found),
        "agreement": live_agreement(found),
        "member_form": MemberForm(),
    }
    return render(request, "studies/study.html", context)


@require_POST
@requires("annotation.change_study", "launch studies")
def study_launch(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Study, pk=pk)
    return _done(request, found, design.launch, "Launched. Raters can begin.")


@require_POST
@requires("annotation.change_study", "add raters")
def study_member(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Study, pk=pk)
    form = MemberForm(request.POST)
    if not found.takes_raters:
        messages.error(request, members.NO_MORE_RATERS)
    elif form.is_valid() and form.rater is not None:
        members.join(study=found, rater=form.rater, by=_person(request))
        messages.success(request, f"{form.rater.get_username()} is a rater of this study.")
    else:
        messages.error(request, " ".join(map(str, form.errors["username"])))
    return redirect(found)


def _draft_context(request: HttpRequest, found: Study) -> dict[str, Any]:
    selection = select(found)
    return {
        "study": found,
        "versions": found.versions.all(),
        "selection": selection,
        "preview": preview(found, selection, _number(request, "preview") or 0),
        "questions": questions(found.rubric, {}),
        "raters": found.memberships.select_related("rater"),
        "member_form": MemberForm(),
    }


def _done(request: HttpRequest, found: Study, action: Any, said: str, **fields: Any) -> HttpResponse:
    """Do one thing to a study and say how it went."""
    try:
        action(study=found, by=_person(request), **fields)
    except design.DesignError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect(found)


def _chosen_corpus(request: HttpRequest) -> Corpus | None:
    """The corpus named in the address, or the only one there is."""
    pk = _number(request, "corpus")
    if pk is not None:
        return get_object_or_404(Corpus, pk=pk)
    corpora = list(Corpus.objects.listed()[:2])
    return corpora[0] if len(corpora) == 1 else None


def _number(request: HttpRequest, name: str) -> int | None:
    """A number in the address; None for anything else, and for more digits than Python would read."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < MOST_DIGITS else None


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
