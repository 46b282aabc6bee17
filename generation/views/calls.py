"""One call: what was asked, what came back, what became of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from core.permissions import requires
from generation.engine.requests import rebuild_messages, with_stages
from generation.models import Background, Call


@require_GET
@requires("generation.view_call", "see calls")
def call_detail(request: HttpRequest, pk: int) -> HttpResponse:
    call = get_object_or_404(Call.objects.select_related("dialogue", "alpha"), pk=pk)
    with_stages([call])
    rebuilt, proven = rebuild_messages(call)
    # Whose journey it is: a judge's or splitter's call stands for the dialogue it reads, any other for its original.
    subject = getattr(call, call.run.subject_field)
    siblings = (
        Call.objects.filter(run=call.run, **{call.run.subject_field: subject})
        .defer("raw_reply", "raw_body")
        .select_related("run_stage")
        .order_by("depth", "run_stage__branch", "run_stage__edition", "sample", "repair")
    )
    context = {
        "call": call,
        "run": call.run,
        "subject": subject,
        "messages_sent": rebuilt.messages,
        "parameters": rebuilt.parameters,
        "proven": proven,
        "sets": call.run_stage.example_sets.all(),
        "outputs": call.outputs.select_related("dialogue", "version"),
        "background": Background.objects.filter(call=call).first(),
        "is_scored": call.judgements.exists(),
        "siblings": siblings,
    }
    return render(request, "generation/call.html", context)
