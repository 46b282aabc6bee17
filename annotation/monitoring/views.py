"""A researcher's pages: the list of studies, a draft before launch, and a study while it is rated."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotation.design import drafting, launch
from annotation.design.step_views import launch_page
from annotation.models import Chat, Rating, Study
from annotation.monitoring.manage_views import possible
from annotation.monitoring.progress import LIVE_DRAWS, live_agreement, rater_table, wanted
from annotation.people import acquaintance, memberships
from annotation.people.acquaintance import AcquaintedError
from annotation.people.forms import MemberForm
from annotation.people.memberships import LeftError
from annotation.reports import unblinding
from annotation.reports.notes import FEW_BACKGROUNDS
from annotation.reports.preference_findings import preferences_of
from core.numbers import asked_text
from core.permissions import act, person_of, requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

PAGE = 25
# A study's page lists at most this many raters; all of them have a page of their own.
MOST_RATERS = 25


@require_GET
@requires("annotation.view_study", "see studies")
def studies(request: HttpRequest) -> HttpResponse:
    search = asked_text(request.GET, "q")
    rows = Study.objects.select_related("corpus").prefetch_related("versions")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(corpus__name__icontains=search))
    rows = rows.annotate(raters=Count("memberships")).order_by("-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "studies/studies.html", {"page": page, "search": search})


@require_GET
@requires("annotation.view_study", "see studies")
def study(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft with its check-list, or a launched study with its progress."""
    found = get_object_or_404(Study.objects.select_related("corpus", "rubric", "created_by"), pk=pk)
    if found.is_draft:
        return render(request, "studies/draft.html", launch_page(found))
    raters, agreement = rater_table(found), live_agreement(found)
    context = {
        "study": found,
        "versions": found.versions.all(),
        "raters": raters[:MOST_RATERS],
        "rater_count": len(raters),
        "at_work": sum(row.membership.is_active for row in raters),
        "actions": possible(found),
        "unblinded": unblinding.unblinded_by(found),
        "import_event": imported_from(found),
        "preferences": preferences_of(found) if found.compares and unblinding.shows_versions(found) else None,
        "draws": LIVE_DRAWS,
        "rated": Rating.objects.counted().for_study(found).count(),
        "wanted": wanted(found),
        "chatting": Chat.objects.in_study(found).in_progress().count() if found.has_chats else 0,
        "agreement": agreement,
        "few_backgrounds": FEW_BACKGROUNDS if any(row.few_backgrounds for row in agreement) else "",
        "member_form": MemberForm(),
        "acquainted": acquaintance.accepted(found),
    }
    return render(request, "studies/study.html", context)


def imported_from(study: Study) -> AuditEvent | None:
    """The event that says from which file a study's ratings were imported, if they were."""
    if not study.is_imported:
        return None
    return AuditEvent.objects.filter(subject=f"study:{study.pk}", verb=AuditVerb.RATINGS_IMPORTED).first()


@require_POST
@requires("annotation.change_study", "launch studies")
def study_launch(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Study, pk=pk)
    act(request, launch.launch, "Launched. Raters can begin.", drafting.DesignError, study=found)
    return redirect(found)


@require_POST
@requires("annotation.change_study", "add raters")
def study_member(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Study, pk=pk)
    form = MemberForm(request.POST)
    if not found.takes_raters:
        messages.error(request, memberships.NO_MORE_RATERS)
    elif form.is_valid() and form.rater is not None:
        try:
            reason = form.cleaned_data["knows_because"]
            memberships.join(study=found, rater=form.rater, by=person_of(request), knows_because=reason)
        except LeftError:
            messages.error(request, memberships.HAS_LEFT)
        except AcquaintedError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{form.rater.get_username()} is a rater of this study.")
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect(found)
