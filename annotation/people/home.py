"""The home page: what there is, and what to do next."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from annotation.models import Membership, Rating, Restructuring, Study
from annotation.roles import Role, role_of
from dialogues.models import Corpus, Dialogue
from generation.example_sets import examples_are_there
from generation.models import Endpoint, Run


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the usual work."""

    title: str
    text: str
    url_name: str
    action: str
    done: bool


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Counts and next steps for researchers; raters go on to their own studies."""
    if role_of(request.user) in (Role.RESEARCHER, Role.ADMIN):
        return _researchers_home(request)
    return redirect("rate")


def _researchers_home(request: HttpRequest) -> HttpResponse:
    steps = next_steps()
    return render(
        request,
        "home/researcher.html",
        {
            "counts": counts(),
            "steps": steps,
            "next_step": next((step for step in steps if not step.done), None),
            "runs": Run.objects.listed().select_related("corpus").order_by("-pk")[:4],
            "studies": Study.objects.select_related("corpus").order_by("-pk")[:4],
            "restructured": Restructuring.objects.progress(request.user),
            "rates_too": Membership.objects.present().filter(rater_id=request.user.pk).exists(),
        },
    )


def counts() -> dict[str, int]:
    dialogues = Dialogue.objects.filter(corpus__in=Corpus.objects.listed())
    originals = dialogues.originals().count()
    return {
        "corpora": Corpus.objects.listed().count(),
        "originals": originals,
        "generated": dialogues.count() - originals,
        "ratings": Rating.objects.counted().count(),
    }


def next_steps() -> list[Step]:
    """The usual steps from an empty workbench to a report; a step is done once its result exists."""
    return [
        Step(
            "Import a corpus",
            "Import dialogues from JSON, CSV, ParlAI, Parquet, WhatsApp, Telegram and more.",
            "dialogues:import",
            "Import a corpus",
            Corpus.objects.listed().exists(),
        ),
        Step(
            "Add an endpoint",
            "Name the language model that writes: any OpenAI-compatible address.",
            "generation:endpoint_new",
            "Add an endpoint",
            Endpoint.objects.exists(),
        ),
        Step(
            "Load the examples",
            "What models are shown and asked: sets and prompts that come with the project, or your own.",
            "generation:example_sets",
            "Load the examples",
            examples_are_there(),
        ),
        Step(
            "Start a run",
            "Have single-step, step-by-step and further-split versions written for the dialogues you choose.",
            "generation:run_new",
            "Prepare a run",
            Run.objects.listed().filter(state=Run.State.FINISHED).exists(),
        ),
        Step(
            "Set up a study",
            "Choose versions and a rubric, invite raters, and launch.",
            "study_new",
            "Set up a study",
            Study.objects.exclude(state=Study.State.DRAFT).exists(),
        ),
        Step(
            "Collect ratings",
            "Invite raters. The study’s report shows agreement and the paper’s tables as scores come in.",
            "studies",
            "See the studies",
            Rating.objects.counted().exists(),
        ),
    ]
