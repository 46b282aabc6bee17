"""A frozen design: its page, its files, and its next version, a new draft that starts as a copy."""

import re

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from annotation.design import files
from annotation.design.chat_systems import set_systems, systems_of
from annotation.design.chat_words import plan_in_words
from annotation.design.drafting import DesignError
from annotation.design.methods import methods_text
from annotation.design.plan_views import plan_shown
from annotation.models import Item, Study
from annotation.rating.rater_stage import consent_fingerprint
from core.downloads import whole_file
from core.permissions import person_of, requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


@require_GET
@requires("annotation.view_study", "see studies")
def study_design(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that launch froze; a draft redirects to its steps."""
    study = _found(pk)
    if study.is_draft:
        return redirect("study_step", pk, "basics")
    rows = study.items.exclude(purpose=Item.Purpose.RATED).select_related("dialogue__version", "other__version")
    context = {
        "study": study,
        "versions": study.versions.all(),
        "checks": sorted(rows.order_by("position"), key=lambda item: Item.Purpose.values.index(item.purpose)),
        "questions": {metric.key: metric.name for metric in study.rubric.metric_list()},
        "plan": plan_in_words(study),
        "planned": plan_shown(study),
        "methods": methods_text(study),
        "consent_sha256": consent_fingerprint(study),
    }
    return render(request, "studies/design.html", context)


@require_GET
@requires("annotation.view_study", "see studies")
def study_design_json(request: HttpRequest, pk: int) -> HttpResponse:
    study = _found(pk)
    return whole_file(files.exported(study), f"{_file_name(study)}.json")


@require_GET
@requires("annotation.view_study", "see studies")
def study_methods(request: HttpRequest, pk: int) -> HttpResponse:
    """The methods text of a launched study; a draft has none yet."""
    study = _found(pk)
    if study.is_draft:
        messages.error(request, "The methods text describes a frozen design. Launch the study first.")
        return redirect(study)
    return whole_file(methods_text(study), f"{_file_name(study)}-methods.txt")


@require_POST
@requires("annotation.add_study", "set up studies")
def study_next(request: HttpRequest, pk: int) -> HttpResponse:
    study = _found(pk)
    try:
        draft = next_version(study=study, by=person_of(request))
    except DesignError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(request, "This is the next version of the design. The launched one stays as it is.")
    return redirect(draft)


def _found(pk: int) -> Study:
    return get_object_or_404(Study.objects.select_related("corpus", "rubric", "previous"), pk=pk)


def _file_name(study: Study) -> str:
    return slugify(study.name)[:60] or "study"


NUMBERED = re.compile(r"(?<!\s)\s+v\d+$")
COPIED = (
    "kind", "public_name", "corpus", "rubric", "pairs", "raters_per_item", "background_count", "writer", "sources",
    "seed", "guidelines", "consent_text", "withdrawal", "approval_number", "retention", "recruitment", "pay_note",
    "minutes_estimate", "break_every", "chat_plan", "least_passed", "most_lapses", "counts_screened_out",
    "hidden_repeats", "tidy_display", "is_simulated", "analysis_plan",
)  # fmt: skip
LONGEST_NAME = 120


@transaction.atomic
def next_version(*, study: Study, by: User | None) -> Study:
    """Make the draft that follows a launched study; asked again, returns the existing one.

    Systems, training, gold and attention items are copied; its launch selects rated items again, by the same seed.
    Raters are not copied, because they agreed to another study. Raises DesignError for a draft and imported ratings.
    """
    old = Study.objects.select_for_update().get(pk=study.pk)
    if old.is_draft:
        raise DesignError("This study is a draft: change the draft itself.")
    if old.is_imported:
        raise DesignError("These ratings were imported, so their design has no next version. Make a new study instead.")
    known = old.later_versions.first()
    if known is not None:
        return known
    version = old.version + 1
    draft = Study.objects.create(
        name=_free_name(old.name, version),
        version=version,
        previous=old,
        created_by=by,
        **{name: getattr(old, name) for name in COPIED},
    )
    draft.versions.set(old.versions.all())
    if old.has_chats:
        # Its practice chat is chosen anew at the launch.
        set_systems(draft, systems_of(old))
    else:
        _copy_checks(old, draft)
    AuditEvent.record(by, AuditVerb.STUDY_VERSION_CREATED, draft, of=old.pk)
    return draft


def _copy_checks(old: Study, draft: Study) -> None:
    kept = list(old.items.exclude(purpose=Item.Purpose.RATED).order_by("position"))
    for position, item in enumerate(kept):
        item.pk, item.study, item.position = None, draft, position
        item._state.adding = True
    Item.objects.bulk_create(kept)


def _free_name(name: str, version: int) -> str:
    """`X v2`, with a further number if another study has that name."""
    base, tail, number = NUMBERED.sub("", name), f" v{version}", 1
    while True:
        wanted = base[: LONGEST_NAME - len(tail)] + tail
        if not Study.objects.filter(name=wanted).exists():
            return wanted
        number += 1
        tail = f" v{version} ({number})"
