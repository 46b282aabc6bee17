"""One call: what was asked, what came back, what became of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from dialogues.permissions import requires
from generation.models import Background, Call, Stage
from generation.requests import rebuild_messages, with_runs
from generation.stages import SPECS


@require_GET
@requires("generation.view_call", "see calls")
def call_detail(request: HttpRequest, pk: int) -> HttpResponse:
    call = get_object_or_404(Call.objects.select_related("dialogue", "alpha"), pk=pk)
    with_runs([call])
    rebuilt, proven = rebuild_messages(call)
    siblings = Call.objects.filter(run=call.run, alpha=call.alpha).defer("raw_reply").order_by("depth", "repair")
    context = {
        "call": call,
        "run": call.run,
        "messages_sent": rebuilt.messages,
        "parameters": rebuilt.parameters,
        "proven": proven,
        "sets": _sets(call),
        "outputs": call.outputs.select_related("dialogue", "version"),
        "background": Background.objects.filter(call=call).first(),
        "siblings": siblings,
    }
    return render(request, "generation/call.html", context)


def _sets(call: Call) -> list[object]:
    """The example sets that this call's stage shows."""
    run = call.run
    rows = (run.single_step_set, run.step_by_step_set, run.further_split_set)
    kinds = SPECS[Stage(call.stage)].kinds
    return [row for row in rows if row is not None and row.kind in kinds]
