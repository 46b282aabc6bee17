"""A study's raters: the table of all, one rater's ratings and use of the scale, and excluding or reinstating them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.models import Membership, Rating, Score, Study
from annotation.monitoring.chat_quality import FASTEST_TYPED_WORDS_A_MINUTE
from annotation.monitoring.quality import FASTEST_WORDS_A_MINUTE
from annotation.monitoring.raters import RaterRow, rater_rows
from annotation.monitoring.sorting import sorted_by
from annotation.monitoring.states import launched_or_404
from annotation.rating import membership_changes
from annotation.recruitment import open_links
from annotation.reports import unblinding
from core.permissions import act, requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.rubric import MOST_POINTS

PAGE = 50
EVENTS = 20
# The columns that sort the table.
SORTS: dict[str, Callable[[RaterRow], Any]] = {
    "rater": lambda row: row.membership.rater.get_username().casefold(),
    "done": lambda row: row.done,
    "left": lambda row: row.minutes_left,
    "seconds": lambda row: row.quality.median_seconds,
    "fast": lambda row: row.quality.fast,
    "straight": lambda row: row.quality.straight,
    "run": lambda row: row.quality.longest_run,
    "training": lambda row: row.training_rate,
    "gold": lambda row: row.gold_rate,
    "lapses": lambda row: row.checks.lapses if row.checks.attention else None,
    "repeats": lambda row: row.repeats.mean if row.repeats else None,
    "agreement": lambda row: row.quality.agreement,
    "chats": lambda row: row.chats.chats if row.chats else None,
    "turns": lambda row: row.chats.turns if row.chats else None,
    "minutes": lambda row: row.chats.minutes if row.chats else None,
    "words": lambda row: row.chats.words if row.chats else None,
    "remarks": lambda row: row.remarks.comments + row.remarks.flags,
    "seen": lambda row: row.seen,
}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with the rater and shown to every researcher. Say what you saw, not what you guess.",
    )


@require_GET
@requires("annotation.view_study", "see raters")
def study_raters(request: HttpRequest, pk: int) -> HttpResponse:
    study = launched_or_404(pk)
    rows, sort = sorted_rows(rater_rows(study), request.GET.get("sort", ""))
    context = {
        "study": study,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "sort": sort,
        "any_training": any(row.practice and row.practice.scored for row in rows),
        "any_gold": any(row.checks.gold for row in rows),
        "any_attention": any(row.checks.attention for row in rows),
        "any_repeats": any(row.repeats for row in rows),
        "most_words": FASTEST_WORDS_A_MINUTE,
        "most_typed": FASTEST_TYPED_WORDS_A_MINUTE,
        "left_out": [row for row in rows if not row.membership.is_counted],
    }
    return render(request, "studies/raters.html", context)


def sorted_rows(rows: list[RaterRow], sort: str) -> tuple[list[RaterRow], str]:
    """The rows sorted by a key of `SORTS`; any other text keeps the order of joining."""
    return sorted_by(rows, sort, SORTS)


@never_cache
@require_GET
@requires("annotation.view_study", "see raters")
def study_rater(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    return _rater_page(request, _member(pk, member), None)


def _rater_page(request: HttpRequest, membership: Membership, form: ReasonForm | None) -> HttpResponse:
    study = membership.study
    shows = unblinding.shows_versions(study)
    page = Paginator(timeline(membership), PAGE).get_page(request.GET.get("page"))
    row = rater_rows(study, membership)[0]
    metrics = study.rubric.metric_list()
    context = {
        "study": study,
        "row": row,
        "membership": row.membership,
        "page": page,
        "metrics": metrics,
        # Item, time, seconds, the scores, and the version if it may be seen.
        "columns": 3 + len(metrics) + shows,
        "distributions": distributions(membership),
        "points": points(study),
        "shows_versions": shows,
        "form": form or ReasonForm(),
        "has_return_link": open_links.has_return_link(membership),
        "most_words": FASTEST_WORDS_A_MINUTE,
        "most_typed": FASTEST_TYPED_WORDS_A_MINUTE,
        "events": AuditEvent.objects.filter(subject=f"membership:{membership.pk}").select_related("actor")[:EVENTS],
    }
    return render(request, "studies/rater.html", context, status=422 if form and form.errors else 200)


@require_POST
@requires("annotation.change_study", "exclude raters")
def rater_exclude(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    membership = _member(pk, member)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _rater_page(request, membership, form)
    reason = form.cleaned_data["reason"]
    return _done(
        request,
        membership,
        membership_changes.exclude,
        "Excluded. The ratings are kept and count no more.",
        reason=reason,
    )


@require_POST
@requires("annotation.change_study", "reinstate raters")
def rater_reinstate(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    membership = _member(pk, member)
    # The message depends on the state after reinstating.
    membership.excluded_at = None
    said = "The ratings count again." if membership.is_counted else "The ratings still do not count: see below."
    return _done(request, membership, membership_changes.reinstate, f"Reinstated. {said}")


@require_POST
@requires("annotation.change_study", "replace raters")
def rater_replace(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    said = "The dialogues that this rater held open are now free for other raters."
    return _done(request, _member(pk, member), membership_changes.replace, said)


@never_cache
@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "give out return links")
def rater_return_link(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    """Show a lost return link again to a researcher, who passes it on; whoever has it rates as this rater."""
    membership = _member(pk, member)
    if not open_links.has_return_link(membership):
        raise Http404("This rater did not join through an open link.")
    context: dict[str, Any] = {"study": membership.study, "membership": membership}
    if request.method == "POST":
        AuditEvent.record(request.user, AuditVerb.RETURN_LINK_SHOWN, membership)
        link = reverse("door_return", args=[open_links.return_token(membership)])
        context["return_link"] = request.build_absolute_uri(link)
    return render(request, "studies/return_link.html", context)


def points(study: Study) -> list[tuple[int, str]]:
    """The values that a score can have, with words for them in a study of pairs; none if there are too many to list."""
    if study.compares:
        return [(-1, "first"), (0, "tie"), (1, "second")]
    values = study.rubric.scale.values()
    return [(value, str(value)) for value in values] if len(values) <= MOST_POINTS else []


def _done(
    request: HttpRequest, membership: Membership, action: Callable[..., object], said: str, **fields: str
) -> HttpResponse:
    act(request, action, said, membership_changes.MembershipError, membership=membership, **fields)
    return redirect("study_rater", membership.study_id, membership.pk)


def _member(pk: int, member: int) -> Membership:
    rows = Membership.objects.select_related("study__rubric", "rater").exclude(study__state=Study.State.DRAFT)
    return get_object_or_404(rows, study=pk, pk=member)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric: for each point, how often this rater gave it, and its share of their and of the others' scores."""

    name: str
    cells: tuple[tuple[int, float | None, float | None], ...]


def timeline(membership: Membership) -> QuerySet[Rating]:
    """Every rating, including superseded ones, newest first."""
    rows = Rating.objects.filter(assignment__membership=membership).order_by("-created_at", "-pk")
    return rows.select_related(
        "assignment__item__dialogue__version", "assignment__item__other__version", "supersedes"
    ).prefetch_related("scores")


def distributions(membership: Membership) -> list[Distribution]:
    """One row for each metric: this rater's current ratings of rated items, and the others' counted ratings."""
    study = membership.study
    values = [value for value, _ in points(study)]
    own_ratings = Rating.objects.first_showings().filter(assignment__membership=membership)
    others = Rating.objects.counted().for_study(study).exclude(assignment__membership=membership)
    mine, rest = (_counts(Score.objects.filter(rating__in=ratings)) for ratings in (own_ratings, others))
    found = []
    for metric in study.rubric.metric_list():
        own, given = (sum(counts[metric.key, value] for value in values) for counts in (mine, rest))
        found.append(
            Distribution(
                metric.name,
                tuple(
                    (
                        mine[metric.key, value],
                        mine[metric.key, value] / own if own else None,
                        rest[metric.key, value] / given if given else None,
                    )
                    for value in values
                ),
            )
        )
    return found


def _counts(scores: QuerySet[Score]) -> Counter[tuple[str, int]]:
    rows = scores.order_by().values_list("metric", "value").annotate(count=Count("pk"))
    return Counter({(metric, value): count for metric, value, count in rows})
