"""The steps of a design, in their usual order; any can be visited at any time."""

from dataclasses import dataclass

from django.urls import reverse

from annotation.design.checklist import Problem
from annotation.design.items_form import ItemsForm
from annotation.design.step_forms import BasicsForm, ChecksForm, EthicsForm, RatersForm, RubricForm, StepForm, WordsForm
from annotation.models import Study


@dataclass(frozen=True, slots=True)
class Step:
    slug: str
    title: str
    form: type[StepForm]
    about: str


STEPS = (
    Step("basics", "Name and kind", BasicsForm, "What it is called, and what raters do."),
    Step("items", "What is rated", ItemsForm, "Which dialogues, and how many of them."),
    Step("rubric", "Questions", RubricForm, "What raters are asked about each dialogue."),
    Step("raters", "Raters", RatersForm, "How many score what, how long it takes, what they get."),
    Step("words", "Guidelines and consent", WordsForm, "What raters read before they begin."),
    Step("checks", "Training and checks", ChecksForm, "Dialogues with known answers."),
    Step("ethics", "Ethics record", EthicsForm, "What boards and reporting checklists ask for."),
)
BY_SLUG = {step.slug: step for step in STEPS}


@dataclass(frozen=True, slots=True)
class Standing:
    """A step in the list beside the page."""

    title: str
    url: str
    # "must" if it prevents launching, "should" if something is missing, else "done".
    state: str
    is_here: bool


def standings(study: Study, musts: list[Problem], shoulds: list[Problem], here: str) -> list[Standing]:
    """Every step with its state, and the launch page at the end."""
    must, should = {problem.step for problem in musts}, {problem.step for problem in shoulds}
    rows = [
        Standing(
            title=step.title,
            url=reverse("study_step", args=[study.pk, step.slug]),
            state="must" if step.slug in must else "should" if step.slug in should else "done",
            is_here=step.slug == here,
        )
        for step in STEPS
    ]
    launch = Standing("Check and launch", study.get_absolute_url(), "must" if musts else "done", here == "launch")
    return [*rows, launch]


def following(slug: str) -> Step | None:
    """The step after this one; None after the last."""
    place = [step.slug for step in STEPS].index(slug) + 1
    return STEPS[place] if place < len(STEPS) else None
