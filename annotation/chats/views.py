"""Pages of chats: the list, a new one, and the chat itself with what its script asks for."""

import json
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.chats import driving, places, recording, scoring, watching
from annotation.chats.beginning import NoExamplesError, begin
from annotation.chats.forms import KeepForm, NewChatForm
from annotation.chats.keeping import forget, keep_in
from annotation.chats.plan import LONGEST_NAME
from annotation.chats.setup import Setup
from annotation.chats.versions import version_of
from annotation.chats.wording import script_words
from annotation.models import Chat, ChatEvent
from annotation.people.page_requests import page_person, page_request
from core.downloads import streamed_file
from core.event_streams import event_stream, event_view
from core.numbers import asked_text, whole_number
from core.permissions import person_of, requires
from dialogues.models import Rubric
from dialogues.transcript import text_problem
from generation.models import Endpoint

ON_A_PAGE = 50
# What a person does besides sending, by its address.
SIGNS = {
    "typing": ChatEvent.Kind.TYPING,
    "stop": ChatEvent.Kind.STOPPED,
    "retry": ChatEvent.Kind.RETRIED,
    "regenerate": ChatEvent.Kind.REGENERATED,
    "end": ChatEvent.Kind.ENDED,
}
# Of these, what a tester may do: they end a chat on its page, once it is long enough.
TESTERS_SIGNS = {name: SIGNS[name] for name in ("typing", "retry")}
CLOSED = gettext_noop("The study is paused or closed, so nothing can be added now.")
_may_chat = requires("annotation.add_chat", "chat with models")


@require_GET
@_may_chat
def chat_list(request: HttpRequest) -> HttpResponse:
    asked = asked_text(request.GET, "q")
    rows = Chat.objects.of(request.user).searched(asked).select_related("endpoint").prefetch_related("ratings__rubric")
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "chats/list.html", {"page": page, "q": asked, "can_begin": Endpoint.objects.exists()})


@require_http_methods(["GET", "POST"])
@_may_chat
def chat_new(request: HttpRequest) -> HttpResponse:
    form = NewChatForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(begin(form.chosen(), by=person_of(request)))
        except NoExamplesError:
            form.add_error("mode", "There are no examples to show. Load the examples first, or choose another way.")
    status = 422 if form.errors else 200
    return render(request, "chats/new.html", {"form": form, "can_begin": Endpoint.objects.exists()}, status=status)


@never_cache
@require_GET
@_may_chat
def chat(request: HttpRequest, token: str) -> HttpResponse:
    """The page as a messenger; the script follows the events from the number that the page ends with."""
    found = _own(request, token)
    conversation = recording.conversation_of(found)
    context = {
        "chat": found,
        "setup": Setup.of(found.setup),
        "bubbles": conversation.bubbles,
        "conversation": conversation,
        "person": page_person(request.user),
        "client_id": uuid.uuid4(),
        "words": script_words(),
    }
    return render(request, "chats/chat.html", context)


@event_view
def chat_events(request: HttpRequest, token: str) -> StreamingHttpResponse:
    """What happens in the chat."""
    found = _taking_part(request, token)
    after = whole_number(request.headers.get("Last-Event-ID") or request.GET.get("after", "")) or 0
    return event_stream(watching.stream(found.pk, after, get_language() or settings.LANGUAGE_CODE))


@page_request("POST")
def chat_send(request: Request, token: str) -> Response:
    """A message, from the page's script."""
    found = _taking_part(request, token)
    if _is_in_closed_study(found):
        return Response({"detail": gettext(CLOSED)}, status=409)
    given = request.data if isinstance(request.data, dict) else {}
    text, client_id = given.get("text"), given.get("id")
    if not isinstance(text, str) or not isinstance(client_id, str) or not 0 < len(client_id) <= 40:
        return Response({"detail": "A message needs text and id."}, status=400)
    if why := _text_problem(text):
        return Response({"detail": why}, status=400)
    try:
        event = recording.send(found.pk, text.strip(), client_id)
    except recording.ChatEndedError:
        return Response({"detail": gettext("This chat has ended.")}, status=409)
    driving.drivers().ensure(found.pk)
    return Response({"number": event.number})


@page_request("POST")
def chat_sign(request: Request, token: str, sign: str) -> Response:
    """That the person types, stops the reply, asks again, or ends the chat."""
    found = _taking_part(request, token)
    if sign not in (SIGNS if found.assignment_id is None else TESTERS_SIGNS):
        raise Http404
    recording.sign(found.pk, SIGNS[sign])
    driving.drivers().ensure(found.pk)
    return Response({})


@require_POST
def chat_say(request: HttpRequest, token: str) -> HttpResponse:
    """The page's form without its script: a message, or one of the signs."""
    found = _taking_part(request, token)
    sign, text = request.POST.get("sign", ""), request.POST.get("text", "")
    if sign in (SIGNS if found.assignment_id is None else TESTERS_SIGNS):
        recording.sign(found.pk, SIGNS[sign])
    elif _is_in_closed_study(found):
        messages.error(request, gettext(CLOSED))
    elif why := _text_problem(text):
        messages.error(request, why)
    else:
        try:
            recording.send(found.pk, text.strip(), request.POST.get("id", "")[:40] or str(uuid.uuid4()))
        except recording.ChatEndedError:
            messages.error(request, gettext("This chat has ended."))
    driving.drivers().ensure(found.pk)
    return redirect("rate_chat", found.assignment.token) if found.assignment else redirect(found)


@require_GET
@_may_chat
def chat_download(request: HttpRequest, token: str) -> HttpResponseBase:
    """Every event as a line of JSON, with its time."""
    found = _own(request, token)
    return streamed_file(_lines(found), f"chat-{found.pk}.jsonl")


@require_http_methods(["GET", "POST"])
@_may_chat
@requires("dialogues.add_corpus", "import corpora")
def chat_keep(request: HttpRequest, token: str) -> HttpResponse:
    """Make a chat that has ended a dialogue of a corpus, to be measured, judged, rated and exported like any other."""
    found = _own(request, token)
    said = recording.conversation_of(found)
    form = KeepForm(request.POST or None, initial={"system": found.endpoint.name[:LONGEST_NAME]})
    can_keep = not found.is_open and len({bubble.speaker for bubble in said.bubbles}) > 1
    if found.dialogue is not None:
        return redirect(found.dialogue)
    if request.method == "POST" and can_keep and form.is_valid():
        version = version_of(form.cleaned_data["system"])
        kept = keep_in(found, said, form.cleaned_data["corpus"], version)
        messages.success(request, "The chat is kept as a dialogue.")
        return redirect(kept or found)
    context = {"chat": found, "form": form, "can_keep": can_keep}
    return render(request, "chats/keep.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "POST"])
@_may_chat
def chat_score(request: HttpRequest, token: str) -> HttpResponse:
    """Score a chat that has ended, by a rubric that the address may name."""
    found = _own(request, token)
    asked = asked_text(request.GET, "rubric")
    rubric = get_object_or_404(scoring.rubrics(), slug=asked) if asked else scoring.usual_rubric(found)
    form = None if rubric is None else _score_form(request, found, rubric)
    if request.method == "POST" and rubric is not None and form is not None and form.is_valid():
        try:
            scores, comment = form.scores(), form.cleaned_data["comment"]
            scoring.score(chat=found, rubric=rubric, scores=scores, comment=comment, by=person_of(request))
        except scoring.ScoringError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Your scores are kept.")
            return redirect(found)
    context = {
        "chat": found,
        "rubric": rubric,
        "rubrics": scoring.rubrics(),
        "form": form,
        "bubbles": recording.conversation_of(found).bubbles,
    }
    return render(request, "chats/score.html", context, status=422 if request.method == "POST" else 200)


def _score_form(request: HttpRequest, chat: Chat, rubric: Rubric) -> scoring.ScoreForm:
    """With the last scores by this rubric."""
    last = chat.ratings.filter(rubric=rubric).first()
    initial = scoring.ScoreForm.initial_of(last) if last else {}
    return scoring.ScoreForm(rubric, request.POST if request.method == "POST" else None, initial=initial)


@require_http_methods(["GET", "POST"])
@_may_chat
def chat_delete(request: HttpRequest, token: str) -> HttpResponse:
    found = _own(request, token)
    if request.method == "POST":
        forget(found)
        messages.success(request, f"“{found}” is deleted. What its replies cost stays in the ledger.")
        return redirect("chats")
    return render(request, "chats/delete.html", {"chat": found})


def _own(request: HttpRequest | Request, token: str) -> Chat:
    """The person's own chat; 404 for anybody else's."""
    rows = Chat.objects.of(request.user) if request.user.has_perm("annotation.add_chat") else Chat.objects.none()
    return get_object_or_404(rows.select_related("endpoint", "budget", "dialogue"), token=token)


def _taking_part(request: HttpRequest | Request, token: str) -> Chat:
    """The person's own chat, or one that they have as a tester whose part has not ended; 404 for anybody else's."""
    found = get_object_or_404(
        Chat.objects.filter(person=request.user.pk).select_related(
            "endpoint", "budget", "assignment__study", "assignment__membership"
        ),
        token=token,
    )
    place = found.assignment
    if place is None:
        return _own(request, token)
    if place.membership is None or place.membership.rater_id != found.person_id or not place.membership.is_ongoing:
        raise Http404
    places.hold(place, timezone.now())
    return found


def _is_in_closed_study(chat: Chat) -> bool:
    return chat.assignment is not None and not chat.assignment.study.is_open


def _text_problem(text: str) -> str:
    if not text.strip():
        return gettext("Write something first.")
    if len(text) > recording.LONGEST_TEXT:
        most, length = f"{recording.LONGEST_TEXT:,}", f"{len(text):,}"
        return gettext("A message has at most {most} characters; this one has {length}.").format(
            most=most, length=length
        )
    return text_problem(text) or ""


def _lines(chat: Chat) -> Iterator[str]:
    head = {"chat": chat.title, "system": str(chat.endpoint), "model": chat.endpoint.model, "setup": chat.setup}
    head["scores"] = [scoring.as_json(one) for one in chat.ratings.select_related("rubric").reverse()]
    yield json.dumps(head, ensure_ascii=False) + "\n"
    for event in recording.events_after(chat.pk, 0).iterator():
        told = {"number": event.number, "at": event.at.isoformat(), "kind": event.kind, "text": event.text}
        yield json.dumps(told | {"call": event.call_id, "detail": event.detail}, ensure_ascii=False) + "\n"
