"""Watch a computation, stop it, begin it anew; and what a page or file shows that has to wait for one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from core import computations
from core.computations import Answer
from core.durations import duration
from core.models import Computation
from core.permissions import requires
from core.returning import back, is_ours


@require_GET
@requires("core.view_computation", "watch computations")
def computation(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is. The page that waits for it asks again, and is loaded anew once the result is there.

    A file does not replace the page that waits for it, so that page must stop asking first: it is told that all is
    done, and from there asks once more to be loaded anew.
    """
    row = get_object_or_404(Computation, pk=pk)
    if request.headers.get("HX-Request"):
        is_done = row.state == Computation.State.DONE
        if is_done and "loads" in request.GET:
            return HttpResponseClientRefresh()
        told = progress(row, _page_of(request)) | {"loads": is_done}
        return render(request, "computing/_computation.html", told)
    return waiting_page(request, row, "A computation")


@require_POST
@requires("core.change_computation", "stop computations")
def computation_stop(request: HttpRequest, pk: int) -> HttpResponse:
    if not computations.stop(get_object_or_404(Computation, pk=pk)):
        messages.info(request, "This had ended before you stopped it.")
    return back(request, "home")


@require_POST
@requires("core.change_computation", "begin computations")
def computation_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Two people may click at once: the second finds it begun."""
    computations.again(get_object_or_404(Computation, pk=pk))
    return back(request, "home")


def waiting_page(
    request: HttpRequest, row: Computation, title: str, crumbs: Sequence[tuple[str, str]] = ()
) -> HttpResponse:
    """Status 202, for a page and for a file: the result is not there yet. `crumbs` are (address, label) above it."""
    context = {"title": title, "crumbs": crumbs, **progress(row, request.get_full_path())}
    response = render(request, "computing/computation.html", context, status=202)
    response["Retry-After"] = "5"
    return response


def progress(row: Computation, page: str) -> dict[str, Any]:
    """What the template about a computation needs; `page` is the address to come back to."""
    left = row.seconds_left
    return {
        "computation": row,
        "label": "Waiting for a worker" if row.state == Computation.State.WAITING else row.doing or "Reading",
        "time_left": duration(left) if left is not None else "",
        "page": page,
    }


def outdated(request: HttpRequest, answered: Answer[Any]) -> dict[str, Any]:
    """What `computing/_outdated.html` needs where an earlier result is shown, and nothing elsewhere."""
    told = progress(answered.computation, request.get_full_path()) if answered.computation else {}
    return {**told, "as_of": answered.as_of}


def _page_of(request: HttpRequest) -> str:
    there = request.GET.get("next", "")
    return there if is_ours(there) else request.path
