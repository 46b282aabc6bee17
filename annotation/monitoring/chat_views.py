"""The chats of a study for researchers: the table of all, and one of them to read. Testers have other pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotation.chats import recording
from annotation.chats.log import transcript
from annotation.models import Chat, ChatEvent, Rating, Study
from annotation.monitoring.chat_quality import FASTEST_TYPED_WORDS_A_MINUTE, Flag
from annotation.monitoring.chats import ChatRow, Stage, chat_rows
from annotation.monitoring.quality import FASTEST_WORDS_A_MINUTE
from annotation.monitoring.sorting import sorted_by
from annotation.monitoring.states import launched_or_404
from annotation.reports import unblinding
from annotation.reports.chat_causes import CAUSES
from core.permissions import requires
from dialogues.display import ShownTurn, turns_for_template
from dialogues.transcript import Transcript

PAGE = 50
NAMES = ("Tester", "System")
STAGES = list(Stage)
# The columns that sort the table.
SORTS: dict[str, Callable[[ChatRow], Any]] = {
    "tester": lambda row: row.name.casefold() or None,
    "background": lambda row: row.chat.background,
    "stage": lambda row: STAGES.index(row.stage),
    "turns": lambda row: row.chat.facts.turns,
    "words": lambda row: row.chat.facts.words,
    "minutes": lambda row: row.chat.facts.minutes,
    "failures": lambda row: row.chat.facts.failures,
    "flags": lambda row: len(row.flags),
}
# Only once the study is unblinded: the order would tell the systems apart.
BY_SYSTEM: dict[str, Callable[[ChatRow], Any]] = {"system": lambda row: (row.version.position, row.version.slug)}
# What a page of one chat lists beside the bubbles.
NOTED = (
    ChatEvent.Kind.ABORTED,
    ChatEvent.Kind.FAILED,
    ChatEvent.Kind.RETRIED,
    ChatEvent.Kind.REGENERATED,
    ChatEvent.Kind.STOPPED,
    ChatEvent.Kind.LEFT,
    ChatEvent.Kind.ENDED,
)


class Incident(NamedTuple):
    """Something that happened beside the messages, so many seconds after the chat began."""

    seconds: float
    words: str
    why: str


@require_GET
@requires("annotation.view_study", "see chats")
def study_chats(request: HttpRequest, pk: int) -> HttpResponse:
    study = _study(pk)
    shows = unblinding.shows_versions(study)
    rows, sort = sorted_by(chat_rows(study), request.GET.get("sort", ""), SORTS | (BY_SYSTEM if shows else {}))
    context = {
        "study": study,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "sort": sort,
        "shows_versions": shows,
        "in_progress": sum(row.stage == Stage.CHATTING for row in rows),
        "counts": [(flag.value, sum(flag in row.flags for row in rows)) for flag in Flag],
        "most_words": FASTEST_WORDS_A_MINUTE,
        "most_typed": FASTEST_TYPED_WORDS_A_MINUTE,
    }
    return render(request, "studies/chats.html", context)


@never_cache
@require_GET
@requires("annotation.view_study", "read chats")
def study_chat(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One chat with the times of its messages; `number` is its key."""
    study = _study(pk)
    row = next((row for row in chat_rows(study) if row.chat.pk == number), None)
    if row is None:
        raise Http404("This study has no such chat.")
    chat = get_object_or_404(Chat.objects.select_related("endpoint", "assignment__item"), pk=number)
    context = {
        "study": study,
        "row": row,
        "chat": chat,
        "turns": _turns(chat),
        "names": NAMES,
        "incidents": _incidents(chat),
        "rating": _rating(row),
        "metrics": study.rubric.metric_list(),
        "shows_versions": unblinding.shows_versions(study),
    }
    return render(request, "studies/chat.html", context)


def _study(pk: int) -> Study:
    study = launched_or_404(pk)
    if not study.has_chats:
        raise Http404("Nobody chats in this study.")
    return study


def _turns(chat: Chat) -> list[ShownTurn]:
    bubbles = recording.conversation_of(chat).bubbles
    if not bubbles:
        return []
    times = [datetime.fromtimestamp(bubble.at, UTC).isoformat() for bubble in bubbles]
    return turns_for_template(Transcript.of(transcript(bubbles)), NAMES, times=times)


def _incidents(chat: Chat) -> list[Incident]:
    events = list(chat.events.filter(kind__in=NOTED))
    first = chat.events.first()
    return [
        Incident(
            (event.at - first.at).total_seconds() if first else 0.0,
            event.get_kind_display(),
            _cause(event),
        )
        for event in events
    ]


def _cause(event: ChatEvent) -> str:
    said = event.detail.get("why") or event.detail.get("trouble") or ""
    return CAUSES.get(said, str(said))


def _rating(row: ChatRow) -> Rating | None:
    """The scores of this chat, if its place is still its tester's."""
    if not row.chat.is_held:
        return None
    return Rating.objects.filter(assignment=row.chat.assignment, is_current=True).prefetch_related("scores").first()
