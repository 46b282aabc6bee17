"""The pages of a design: each step has its own form beside the list of steps, and launching is the last.

The steps stand in their usual order; any can be visited at any time.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from annotation.design import drafting
from annotation.design.chat_forms import ConversationForm, SystemsForm
from annotation.design.chat_words import plan_in_words
from annotation.design.checklist import musts, shoulds
from annotation.design.items_form import ItemsForm
from annotation.design.plan_form import PlanForm
from annotation.design.plan_record import plan_of
from annotation.design.plan_views import plan_shown
from annotation.design.preview import Example, examples
from annotation.design.problems import Problem
from annotation.design.selection import Selection, select
from annotation.design.step_forms import (
    BasicsForm,
    ChecksForm,
    EthicsForm,
    NewStudyForm,
    RatersForm,
    RubricForm,
    StepForm,
    WordsForm,
)
from annotation.design.texts import consent_draft, order_plan, usual_guidelines
from annotation.models import Item, Study
from annotation.models.studies import FROZEN
from annotation.people.forms import MemberForm
from core.fingerprint import StaleError
from core.numbers import whole_number
from core.permissions import person_of, requires
from dialogues.coverage import coverage_of
from dialogues.models import Corpus, Rubric, Version
from dialogues.sources import WRITER, Sources


@dataclass(frozen=True, slots=True)
class Step:
    slug: str
    title: str
    form: type[StepForm]
    about: str
    # The kinds of study that have it.
    kinds: tuple[str, ...] = tuple(Study.Kind.values)


READING = (Study.Kind.SCORES.value, Study.Kind.PAIRS.value)
CHATTING = (Study.Kind.CHATS.value,)
STEPS = (
    Step("basics", "Name and kind", BasicsForm, "What it is called, and what raters do."),
    Step("items", "What is rated", ItemsForm, "Which dialogues, and how many of them.", READING),
    Step("systems", "Systems", SystemsForm, "Whom testers chat with, and about what.", CHATTING),
    Step("conversation", "Conversation", ConversationForm, "How the chats go, and what they may cost.", CHATTING),
    Step("rubric", "Questions", RubricForm, "What raters are asked about each dialogue, or each chat."),
    Step("raters", "Raters", RatersForm, "How many score what, how long it takes, what they get."),
    Step("words", "Guidelines and consent", WordsForm, "What raters read before they begin."),
    Step("checks", "Training and checks", ChecksForm, "Dialogues with known answers, and repeats.", READING),
    Step("analysis", "Analysis plan", PlanForm, "What will be tested, on how many ratings; frozen at the launch."),
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


def steps_of(kind: str) -> list[Step]:
    """The steps that a study of this kind has, in their usual order."""
    return [step for step in STEPS if kind in step.kinds]


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
        for step in steps_of(study.kind)
    ]
    launch = Standing("Check and launch", study.get_absolute_url(), "must" if musts else "done", here == "launch")
    return [*rows, launch]


def following(study: Study, slug: str) -> Step | None:
    """The step after this one; None after the last."""
    steps = steps_of(study.kind)
    place = [step.slug for step in steps].index(slug) + 1
    return steps[place] if place < len(steps) else None


HIGHEST_SEED = 999_999
# The four metrics of the paper's Table 6.
CHAT_RUBRIC = "chat-four"
# How many raters a draft's own page lists.
RATERS_SHOWN = 25


@require_http_methods(["GET", "POST"])
@requires("annotation.add_study", "set up studies")
def study_new(request: HttpRequest) -> HttpResponse:
    """The first step: a name creates the draft; everything else has a default."""
    corpus = _first_corpus(request)
    if corpus is None:
        return render(request, "studies/no_corpus.html")
    form = NewStudyForm(request.POST or None)
    sources = Sources.of({name: keys for name, keys in request.GET.lists() if name != WRITER.name})
    if request.method == "POST" and form.is_valid():
        try:
            made = drafting.create_study(
                by=person_of(request),
                corpus=corpus,
                seed=secrets.randbelow(HIGHEST_SEED) + 1,
                **form.cleaned_data,
                **_defaults(form.cleaned_data["kind"], corpus, sources),
            )
        except drafting.NameTakenError as error:
            form.add_error("name", str(error))
        else:
            return redirect("study_step", made.pk, steps_of(made.kind)[1].slug)
    return render(
        request,
        "studies/new.html",
        {"form": form, "corpus": corpus, "of": sources.words(corpus)},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "change studies")
def study_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """One step; POST saves it, or with `look` only shows the items that an unsaved choice would give."""
    study = get_object_or_404(Study.objects.select_related("corpus", "rubric"), pk=pk)
    here = BY_SLUG.get(step)
    if here is None or study.kind not in here.kinds:
        raise Http404("A design has no such step.")
    if not study.is_draft:
        messages.error(request, FROZEN)
        return redirect("study_design", pk)
    form = here.form(request.POST or None, study=study, initial=_start(request, study, here))
    if request.method == "GET" or "look" in request.POST or "more" in request.POST:
        form.is_valid()
        return _page(request, study, here, form, status=200)
    if form.is_valid():
        answer = _kept(request, study, here, form)
        if answer is not None:
            return answer
    return _page(request, study, here, form, status=422)


def _kept(request: HttpRequest, study: Study, here: Step, form: StepForm) -> HttpResponse | None:
    """Save the step and say where to go; None if the form now says why it was not saved."""
    try:
        form.save(person_of(request))
    except drafting.NameTakenError as error:
        form.add_error("name", str(error))
        return None
    except StaleError:
        now = form.now()
        context = {"study": study, "step": here, "form": form, "now": now, "seen": now.seen_of(now.study)}
        return render(request, "studies/step_conflict.html", context, status=409)
    except drafting.DesignError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(request, f"Saved: {here.title.lower()}.")
    # Another kind has other steps.
    study.refresh_from_db(fields=["kind"])
    after = following(study, here.slug)
    if "stay" in request.POST:
        return redirect("study_step", study.pk, here.slug)
    return redirect("study_step", study.pk, after.slug) if after else redirect(study)


def _page(request: HttpRequest, study: Study, here: Step, form: StepForm, *, status: int) -> HttpResponse:
    selection, sample = _looked_at(form)
    stands = standings(study, musts(study, selection if not form.is_bound else None), shoulds(study), here.slug)
    context = {
        "study": study,
        "step": here,
        "steps": stands,
        "form": form,
        "selection": selection,
        "sample": sample,
        **_extras(study, here),
    }
    return render(request, [f"studies/step_{here.slug}.html", "studies/step.html"], context, status=status)


def _looked_at(form: StepForm) -> tuple[Selection | None, list[Example]]:
    """For the step about items or systems: what the choice gives, and a few examples."""
    if not isinstance(form, ItemsForm | SystemsForm) or (form.is_bound and not form.is_valid()):
        return None, []
    selection = form.selection()
    return selection, examples(form.study, selection)


def _extras(study: Study, here: Step) -> dict[str, Any]:
    if here.slug == "checks":
        rows = study.items.exclude(purpose=Item.Purpose.RATED).select_related("dialogue__version", "other__version")
        return {"purposes": [(p, [row for row in rows if row.purpose == p]) for p in PURPOSES]}
    if here.slug == "analysis":
        return {"plan": plan_of(study)}
    if here.slug == "raters" and study.has_chats:
        return {"chats": order_plan(study.raters_per_item, compares=False, has_chats=True)}
    if here.slug == "raters":
        crossed, slots = order_plan(None, compares=study.compares), order_plan(1, compares=study.compares)
        return {"crossed": crossed, "slots": slots}
    return {}


PURPOSES = (Item.Purpose.TRAINING, Item.Purpose.GOLD, Item.Purpose.ATTENTION)


def _start(request: HttpRequest, study: Study, here: Step) -> dict[str, Any]:
    """Texts to start from, if the page's link asks for them; nothing is stored until the form is saved."""
    if here.slug != "words" or request.method != "GET":
        return {}
    asked = request.GET.getlist("start")
    texts = {
        "consent": ("consent_text", consent_draft(has_chats=study.has_chats)),
        "guidelines": ("guidelines", usual_guidelines(has_chats=study.has_chats)),
    }
    return dict(texts[name] for name in asked if name in texts)


def _defaults(kind: str, corpus: Corpus, sources: Sources) -> dict[str, Any]:
    """What a new draft of this kind begins with; the steps can change it."""
    if kind == Study.Kind.CHATS:
        return {"rubric": Rubric.objects.filter(slug=CHAT_RUBRIC).first() or _first_rubric()}
    versions = Version.objects.filter(pk__in=_usual_versions(corpus, sources))
    return {"rubric": _first_rubric(), "versions": versions, "sources": sources.as_json()}


def _first_rubric() -> Rubric:
    return Rubric.objects.first() or get_object_or_404(Rubric)


def _first_corpus(request: HttpRequest) -> Corpus | None:
    """The corpus named in the address, else the newest; the step about items can choose another."""
    key = whole_number(request.GET.get("corpus"))
    if key is None:
        return Corpus.objects.listed().first()
    return get_object_or_404(Corpus.objects.listed(), pk=key)


def _usual_versions(corpus: Corpus, sources: Sources) -> list[str]:
    """The versions that cover many backgrounds: one that covers few would leave hardly anything to rate."""
    return coverage_of(sources.narrow(corpus.dialogues.all())).usual()


def launch_page(study: Study) -> dict[str, Any]:
    """What a draft's own page shows: its check-list, what raters will see, and the button that launches it."""
    selection = select(study)
    must, should = musts(study, selection), shoulds(study)
    kept = study.items.exclude(purpose=Item.Purpose.RATED).values_list("purpose", flat=True)
    return {
        "study": study,
        "steps": standings(study, must, should, "launch"),
        "musts": _named(must),
        "shoulds": _named(should),
        "versions": study.versions.all(),
        "plan": plan_in_words(study),
        "planned": plan_shown(study),
        "selection": selection,
        "sample": examples(study, selection),
        "checks": [(purpose.label, list(kept).count(purpose)) for purpose in Item.Purpose if purpose != "rated"],
        "raters": study.memberships.select_related("rater")[:RATERS_SHOWN],
        "more_raters": max(0, study.memberships.count() - RATERS_SHOWN),
        "member_form": MemberForm(),
    }


def _named(problems: list[Problem]) -> list[tuple[str, str, str]]:
    """Each problem's sentence with the slug and title of the step where it is fixed."""
    return [(problem.text, problem.step, BY_SLUG[problem.step].title) for problem in problems]
