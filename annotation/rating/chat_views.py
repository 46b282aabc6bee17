"""A tester's chat in a study: its page, and finishing it to score it."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation.chats import places, recording
from annotation.chats.beginning import NoExamplesError
from annotation.chats.setup import Setup
from annotation.chats.wording import script_words
from annotation.models import Assignment, Membership
from annotation.people.page_requests import page_person
from annotation.rating import queue, rater_stage
from annotation.rating.access import own_assignment
from annotation.rating.blinding import blind_chat
from annotation.rating.views import SkipForm, holder


@never_cache
@require_GET
def rate_chat(request: HttpRequest, token: str) -> HttpResponse:
    """The page as a messenger; a chat that has ended leads to its scores."""
    place = own_assignment(request.user, token)
    membership = holder(place)
    if not _may_chat(place, membership):
        return redirect("rate_item", token)
    queue.show(place, now=timezone.now())
    try:
        chat = places.begin(place)
    except NoExamplesError:
        messages.error(request, _("This chat cannot begin just now. Tell whoever invited you, or look in later."))
        return redirect("rate")
    context = {
        "chat": blind_chat(place, chat, membership),
        "person": page_person(request.user),
        "client_id": uuid.uuid4(),
        "skip_form": SkipForm,
        "words": script_words(),
    }
    return render(request, "rating/chat.html", context)


def _may_chat(place: Assignment, membership: Membership) -> bool:
    ready = membership.is_ongoing and not rater_stage.must_agree(membership)
    return ready and place.study.is_open and places.is_due(place)


@require_POST
def rate_chat_finish(request: HttpRequest, token: str) -> HttpResponse:
    """End the chat, if it is long enough, and go to its scores."""
    place = own_assignment(request.user, token)
    chat = places.chat_of(place)
    if chat is None:
        return redirect("rate_item", token)
    limits = Setup.of(chat.setup).limits
    if not limits.may_finish(recording.conversation_of(chat)):
        words = ngettext(
            "Go on until you have said something %(least)s time at least.",
            "Go on until you have said something %(least)s times at least.",
            limits.least_turns,
        )
        messages.info(request, words % {"least": limits.least_turns})
        return redirect("rate_chat", token)
    recording.end(chat.pk, "person")
    return redirect("rate_item", token)
