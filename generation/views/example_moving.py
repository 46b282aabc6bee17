"""The order of a draft's examples: by drag, and by buttons that need no script."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.numbers import whole_number, whole_numbers
from core.permissions import requires
from generation.curation.content import MOST_EXAMPLES
from generation.curation.drafts import StaleError
from generation.curation.ordering import moved, reorder
from generation.models import ExampleSet, FrozenError
from generation.views.curated import FROZEN_MEANWHILE, fetch_set


@require_POST
@requires("generation.change_exampleset", "order examples")
def set_order(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole order (`example` once for each, as a drag leaves them), or one `example` and its new place `to`."""
    row, wants_json = fetch_set(pk), "application/json" in request.headers.get("Accept", "")
    order = whole_numbers(request.POST.getlist("example")[: MOST_EXAMPLES + 1])
    place, seen = whole_number(request.POST.get("to")), whole_number(request.POST.get("revision"))
    if place is not None and order:
        order = moved(list(row.examples.values_list("pk", flat=True)), order[0], place)
    try:
        reorder(example_set=row, order=order, seen=-1 if seen is None else seen, by=request.user)
    except FrozenError:
        if wants_json:
            return JsonResponse({"detail": FROZEN_MEANWHILE}, status=409)
        messages.error(request, FROZEN_MEANWHILE)
        return redirect(row)
    except StaleError:
        return _conflict(request, row, order)
    if wants_json:
        # The page has moved it already and needs only what its next move is made on.
        return JsonResponse({"revision": fetch_set(pk).revision})
    anchor = "" if place is None else f"#example-{place}"
    return redirect(f"{row.get_absolute_url()}{anchor}")


def _conflict(request: HttpRequest, row: ExampleSet, order: list[int]) -> HttpResponse:
    """Both orders; mine can still be had where it holds the same examples."""
    now = {example.pk: example for example in row.examples.all()}
    mine = [now[pk] for pk in dict.fromkeys(order) if pk in now]
    context = {"set": fetch_set(row.pk), "theirs": now.values(), "mine": mine, "possible": len(mine) == len(now)}
    return render(request, "generation/order_conflict.html", context, status=409)
