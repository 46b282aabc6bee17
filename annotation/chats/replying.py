"""One reply: asked for, received piece by piece, shown bubble by bubble at its pace, broken off where it must be."""

import asyncio
from collections import deque
from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from annotation.chats import recording
from annotation.chats.recording import Kind, Ready, Unless
from generation.endpoints.answers import CallError, Reply, Trouble
from generation.endpoints.keys import KeysMissingError
from generation.engine.loops import wait_for
from generation.live import calls, sending
from generation.live.calls import BlockedError, NoPlaceError, OverBudgetError
from generation.models import LiveCall
from generation.prompts import ChatMessage

if TYPE_CHECKING:
    from annotation.chats.driving import Driver

# Refusals that mean: later. Seconds until each further try, unless the endpoint says how many; then the person is told.
PAUSES = (1.0, 3.0, 8.0)
# Where the endpoint says more, the person is told at once, and asks again when they like.
LONGEST_PAUSE = 120.0
PLACE_POLL = 0.25  # seconds until a chat looks again whether the endpoint has a place for it
LATER = (Trouble.RATE_LIMITED, Trouble.PROVIDER)
IDLE = 30.0  # seconds after which a wait looks around although nobody called
_SAID = (Kind.SENT, Kind.TYPING)
_STOPS = (Kind.STOPPED, Kind.ENDED)
_INTERRUPTS = (Kind.SENT, *_STOPS)


async def show_reply(driver: "Driver", news: asyncio.Event) -> None:
    """Ask and show, again after a while where the endpoint says: later. What happens goes into the log."""
    for pause in (*PAUSES, None):
        error = await ShownReply(driver, news).show()
        if error is None:
            return
        wait = _seconds_until_next_try(driver, error, pause)
        await driver.tell(Kind.FAILED, detail={"trouble": error.trouble, "again": wait is not None})
        if wait is None or not await _paused(driver, news, wait):
            return
        await driver.tell(Kind.RETRIED)


def _seconds_until_next_try(driver: "Driver", error: CallError, pause: float | None) -> float | None:
    """None where the person decides whether there is one."""
    if pause is None or error.trouble not in LATER or not driver.conversation.unanswered:
        return None
    wait = pause if error.retry_after is None else error.retry_after
    return wait if wait <= LONGEST_PAUSE else None


async def _paused(driver: "Driver", news: asyncio.Event, seconds: float) -> bool:
    """Wait so long; False where no reply is due any more."""
    end = time() + seconds
    while driver.conversation.awaits_reply and (left := end - time()) > 0:
        await wait_for(news, left)
        news.clear()
        await driver.catch_up()
    return driver.conversation.awaits_reply


class ShownReply:
    """One try. The reader is a task of its own, so that bubbles can wait while more of the reply comes in."""

    def __init__(self, driver: "Driver", news: asyncio.Event) -> None:
        self._driver = driver
        self._news = news
        self._splitter = driver.setup.splitter()
        self._received: list[str] = []
        self._ready: deque[Ready] = deque()
        # The reply's bubbles that are in the log as ready, and when the last one was shown.
        self._logged = 0
        self._shown_at = time()
        # How the reply ended, and the same once its call is settled.
        self._result: Reply | CallError | None = None
        self._end: Reply | CallError | None = None

    async def show(self) -> CallError | None:
        """Show the reply; returns the error if it ended in one that is not in the log yet."""
        messages = self._driver.setup.messages(self._driver.conversation.history())
        try:
            call = await self._driver.drivers.do(self._ask, messages)
        except OverBudgetError as error:
            await self._driver.tell(Kind.ENDED, detail={"why": "budget", "words": str(error)})
            return None
        except BlockedError as error:
            return CallError(Trouble.RATE_LIMITED, str(error), error.seconds)
        except NoPlaceError:
            await self._wait(PLACE_POLL)
            return None
        await self._driver.catch_up()
        if call is None:
            return None
        reader = asyncio.create_task(self._read(call))
        try:
            return await self._show_until_its_end()
        finally:
            reader.cancel()
            await asyncio.wait([reader])
            if self._end is None:
                # The reader was stopped, at whatever it was doing.
                await self._settle(call)

    def _ask(self, messages: list[ChatMessage]) -> LiveCall | None:
        """The call, in the ledger and in the log; None if the person has said more meanwhile."""
        driver, chat = self._driver, self._driver.chat
        with transaction.atomic():
            unless = Unless(driver.conversation.last_number, _SAID)
            parameters = driver.setup.parameters
            call = calls.open_call(chat.budget_id, chat.endpoint, messages, parameters, timezone.now())
            if recording.tell(chat.pk, driver.drivers.owner, Kind.ASKED, unless, call=call) is None:
                transaction.set_rollback(True)
                return None
        return call

    async def _read(self, call: LiveCall) -> None:
        """Receive the reply, settle its call, and only then tell that it has ended."""
        self._result = await self._streamed(call)
        if isinstance(self._result, Reply):
            self._complete(self._splitter.finish())
        await self._settle(call)
        self._end = self._result
        self._news.set()

    async def _settle(self, call: LiveCall) -> None:
        """By how the reply ended, or by what had come of it; a second time does nothing."""
        result = "".join(self._received) if self._result is None else self._result
        await self._driver.drivers.do(calls.settle, call.pk, result, timezone.now())

    async def _streamed(self, call: LiveCall) -> Reply | CallError:
        drivers = self._driver.drivers
        try:
            return await sending.stream(drivers.clients, drivers.limiter, call, self._take)
        except KeysMissingError as error:
            return CallError(Trouble.AUTH, str(error))
        except CallError as error:
            return error

    def _take(self, piece: str) -> None:
        is_first = not self._received
        self._received.append(piece)
        bubbles = self._splitter.feed(piece)
        self._complete(bubbles)
        # Whoever is woken asks the database; nothing can follow from a piece in between.
        if is_first or bubbles:
            self._news.set()

    def _complete(self, texts: Sequence[str]) -> None:
        now = timezone.now()
        self._ready.extend(Ready(text, now) for text in texts)

    async def _show_until_its_end(self) -> CallError | None:
        first = True
        while True:
            if first and self._received:
                first = False
                await self._driver.tell(Kind.FIRST_TOKEN)
            await self._log_ready()
            if self._must_break_off or (self._ready and not await self._show_next()):
                await self._break_off()
                return None
            if not self._ready:
                if self._end is not None:
                    return await self._finish(self._end)
                await self._wait(IDLE)

    async def _log_ready(self) -> None:
        """What is complete goes into the log at once, also what is shown later or never."""
        driver = self._driver
        fresh = list(self._ready)[self._logged - driver.conversation.shown :]
        if fresh:
            self._logged += len(fresh)
            await driver.take(
                await driver.drivers.do(recording.tell_ready, driver.chat.pk, driver.drivers.owner, fresh)
            )

    @property
    def _must_break_off(self) -> bool:
        conversation = self._driver.conversation
        is_over = conversation.is_stopped or conversation.is_ended
        ends = conversation.shown == 0 or self._driver.setup.interruption == "stop" or is_over
        return conversation.is_interrupted and ends

    async def _show_next(self) -> bool:
        """Wait until the next bubble is due, and show it; False where the person interrupts."""
        conversation, text = self._driver.conversation, self._ready[0].text
        delay = self._driver.setup.delay(conversation.shown + 1, text)
        left = self._shown_at + delay - time()
        if left > 0:
            await self._wait(left)
            return True
        stops = conversation.shown == 0 or self._driver.setup.interruption == "stop"
        unless = Unless(conversation.last_number, _INTERRUPTS if stops else _STOPS)
        if not await self._driver.tell(Kind.BUBBLE_SHOWN, unless, text=text, detail={"planned": round(delay, 3)}):
            return False
        self._ready.popleft()
        self._shown_at = time()
        return True

    async def _wait(self, seconds: float) -> None:
        await wait_for(self._news, seconds)
        self._news.clear()
        await self._driver.catch_up()

    async def _break_off(self) -> None:
        conversation = self._driver.conversation
        why = "ended" if conversation.is_ended else "stopped" if conversation.is_stopped else "interrupted"
        await self._driver.tell(Kind.ABORTED, detail={"why": why, "dropped": len(self._ready)})

    async def _finish(self, end: Reply | CallError) -> CallError | None:
        if isinstance(end, CallError):
            return end
        if not self._driver.conversation.shown:
            return CallError(Trouble.REJECTED, "The reply was empty.")
        await self._driver.tell(Kind.REPLIED, detail={"demo": end.is_demo})
        if self._driver.setup.limits.is_full(self._driver.conversation):
            # Not if the person has gone on meanwhile: then that is answered first.
            unless = Unless(self._driver.conversation.last_number, _SAID)
            await self._driver.tell(Kind.ENDED, unless, detail={"why": "turns"})
        return None
