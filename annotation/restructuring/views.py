"""The annotator's pages: their restructurings, the editor, handing in, and asking a model to split.

Without scripts the editor is a form with every message and buttons for operations, which is read into operations.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.models import Restructuring
from annotation.people.page_requests import page_person
from annotation.restructuring import drafts
from annotation.restructuring.drafts import Sent
from annotation.restructuring.editor_page import page_of
from annotation.restructuring.proposals import proposers
from annotation.restructuring.wording import script_words
from core.numbers import whole_number
from core.permissions import person_of, refuse_without, requires
from dialogues.editing import WHITE_SPACE, Draft
from dialogues.models import Dialogue
from generation.models import Endpoint, Run
from generation.plans.branches import split_run
from generation.plans.plan_form import endpoint_label
from generation.plans.run_plan import PlanError

PAGE = 48


@never_cache
@require_GET
@requires("annotation.add_operation", "restructure dialogues")
def restructurings(request: HttpRequest) -> HttpResponse:
    """The person's restructurings: open ones first, then those handed in."""
    mine = Restructuring.objects.of(request.user).numbered().first_to_do().select_related("original")
    page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    done = [row for row in page if not row.is_editable]
    context = {"page": page, "open": [row for row in page if row.is_editable], "done": done}
    return render(request, "restructuring/mine.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def restructuring(request: HttpRequest, token: str) -> HttpResponse:
    """The editor; POST serves browsers without scripts."""
    draft = drafts.own_restructuring(person_of(request), token)
    if request.method == "POST":
        return _stepped(request, draft)
    return _editor(request, draft)


@require_POST
def restructuring_submit(request: HttpRequest, token: str) -> HttpResponse:
    draft = drafts.own_restructuring(person_of(request), token)
    try:
        version = whole_number(request.POST.get("version"))
        at = draft.version if version is None else version
        drafts.submit(person_of(request), token, version=at, now=timezone.now())
    except drafts.DraftError as error:
        messages.error(request, str(error))
        return redirect("restructuring", token)
    messages.success(request, _("Handed in. A second person reads it now; you can take it back until they are done."))
    return redirect("restructurings")


@require_POST
def restructuring_reopen(request: HttpRequest, token: str) -> HttpResponse:
    try:
        drafts.reopen(person_of(request), token)
    except drafts.DraftError as error:
        messages.error(request, str(error))
    return redirect("restructuring", token)


def _stepped(request: HttpRequest, draft: Restructuring) -> HttpResponse:
    texts, made_on = request.POST.getlist("text"), whole_number(request.POST.get("version")) or 0
    before = drafts.history_of(draft).drafts
    person = person_of(request)
    try:
        bodies = operations_of(
            before[min(made_on, draft.version)], texts, request.POST.get("step", ""), request.POST.get("added", "")
        )
        sent = as_sent(draft.token, made_on, bodies)
        drafts.save_operations(person, draft.token, version=made_on, operations=sent, now=timezone.now())
    except (drafts.DraftError, FormError) as error:
        status = 409 if isinstance(error, drafts.StaleError) else 422
        return _editor(request, draft, status=status, problem=str(error), typed=texts)
    return redirect("restructuring", draft.token)


def _editor(request: HttpRequest, draft: Restructuring, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "restructuring": draft,
        "is_mine": draft.annotator_id == request.user.pk,
        "may_edit": drafts.may_edit(draft, person_of(request)),
        "proposers": proposers(draft.original, person_of(request)),
        "models": models_to_ask(person_of(request)),
        "remarks": draft.remarks.filter(settled_at__isnull=True).select_related("author"),
        "page_person": page_person(request.user),
        "words": script_words(),
        **page_of(draft),
        **more,
    }
    return render(request, "restructuring/editor.html", context, status=status)


SPEND = "generation.add_run"


def models_to_ask(person: User) -> list[tuple[int, str]]:
    """The models that a person may ask, by key; none without permission to spend money."""
    if not person.has_perm(SPEND):
        return []
    return [(endpoint.pk, endpoint_label(endpoint)) for endpoint in Endpoint.objects.all()]


@require_POST
def restructuring_ask_model(request: HttpRequest, token: str) -> HttpResponse:
    """Plan a run of one call and go to its page, which shows what will be sent at what cost; Start sends it."""
    person = person_of(request)
    draft = drafts.own_restructuring(person, token)
    refuse_without(request, SPEND, "ask models")
    endpoint = Endpoint.objects.filter(pk=whole_number(request.POST.get("endpoint")) or 0).first()
    if endpoint is None:
        messages.error(request, "Choose a model to ask.")
        return redirect("restructuring", token)
    try:
        return redirect(_planned(draft.original, endpoint, person))
    except PlanError as error:
        messages.error(request, str(error))
        return redirect("restructuring", token)


def _planned(original: Dialogue, endpoint: Endpoint, by: User) -> Run:
    """The draft run for this dialogue and model; an earlier one that was never started is used again."""
    waiting = Run.objects.filter(
        state=Run.State.DRAFT, created_by=by, chosen__dialogue=original, run_stages__endpoint=endpoint,
        stages=["further_split"],
    ).first()  # fmt: skip
    return waiting or split_run(dialogues=[original], endpoint=endpoint, name=f"Split {original.key}"[:120], by=by)


# An empty line inside a message splits it there.
_CUT = re.compile(r"\n[ \t]*\n\s*")
_STEPS = ("merge", "up", "down", "delete", "add", "undo", "redo")


class FormError(ValueError):
    """A form that cannot be read; the text says what to do."""


def operations_of(draft: Draft, texts: Sequence[str], step: str, added: str) -> list[dict[str, Any]]:
    """The form's operations: first changed texts, from the last message to the first, then the pressed button's step.

    `step` is empty or like "merge:3"; `added` is the text for "add". Raises FormError.
    """
    if len(texts) != len(draft):
        raise FormError(_("The page is out of date. Load it again; what you typed is below."))
    name, _sign, number = step.partition(":")
    if step and (name not in _STEPS or not re.fullmatch(r"\d{0,5}", number)):
        raise FormError(_("There is no such button."))
    found: list[dict[str, Any]] = []
    shift = 0
    at = int(number or 0)
    for place in range(len(draft) - 1, -1, -1):
        steps = _rewritten(place, draft[place].text, texts[place])
        found += steps
        shift += sum(body["op"] == "split" for body in steps) if place < at else 0
    return found + _step(name, at + shift, draft, added)


def as_sent(token: str, version: int, bodies: Sequence[Mapping[str, Any]]) -> list[Sent]:
    """The operations with ids derived from the form, so that a second click sends the same ones."""
    whole = f"{token}/{version}/{bodies!r}"
    return [Sent(uuid.uuid5(uuid.NAMESPACE_OID, f"{whole}/{number}"), dict(body)) for number, body in enumerate(bodies)]


def _rewritten(place: int, before: str, after: str) -> list[dict[str, Any]]:
    # Browsers send line ends as CR LF.
    after = after.replace("\r\n", "\n").strip(WHITE_SPACE)
    parts = [part.strip(WHITE_SPACE) for part in _CUT.split(after) if part.strip(WHITE_SPACE)]
    if not parts:
        return [{"op": "delete", "at": place}]
    whole = " ".join(parts)
    found: list[dict[str, Any]] = [] if whole == before else [{"op": "reword", "at": place, "text": whole}]
    # Cut from the last part backwards, so that earlier offsets stay valid.
    cuts = [len(" ".join(parts[:number])) for number in range(len(parts) - 1, 0, -1)]
    return [*found, *({"op": "split", "at": place, "offset": cut} for cut in cuts)]


def _step(name: str, at: int, draft: Draft, added: str) -> list[dict[str, Any]]:
    if name in ("up", "down"):
        return [{"op": "move", "at": at, "to": at + (1 if name == "down" else -1)}]
    if name == "add":
        if not added.strip():
            raise FormError(_("Write the message to add first."))
        speaker = draft[min(at, len(draft) - 1)].speaker
        return [{"op": "insert", "at": at + 1, "speaker": speaker, "text": added}]
    if name in ("merge", "delete"):
        return [{"op": name, "at": at}]
    return [{"op": name}] if name else []
