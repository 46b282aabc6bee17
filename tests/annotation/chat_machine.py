"""Everything that can happen to a chat, in any order, and what holds once it has come to rest.

The model server, the database and the driver are real. What the person sent is kept here as well; the log must say the
same.
"""

import uuid
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from annotation.chats import driving, recording, watching
from annotation.chats.log import conversation
from annotation.chats.setup import Setup
from annotation.models import Chat, ChatEvent
from annotation.roles import Role
from generation.models import Endpoint, LiveCall
from tests.annotation.chatting import chat_with, settled
from tests.annotation.streaming_model import CUT, Gate, streaming_model
from tests.people import make_user

MARK = "<|msg|>"
# What an answer is made of; a gate waits until the machine opens it.
PIECES = st.sampled_from(["Hi", " there", MARK, "<|", "msg|>", "…", CUT, "gate", {"message": "broken", "code": 500}])
SCENES = st.lists(PIECES, max_size=6) | st.sampled_from([[429], [503], [400], [401], [], ["  "]])
TABS = st.integers(0, 1)


class ChatMachine(RuleBasedStateMachine):
    """One chat, watched in two tabs."""

    @initialize(interruption=st.sampled_from(["stop", "wait"]), silence=st.sampled_from([0.0, 0.02]))
    def begin(self, interruption: str, silence: float) -> None:
        self.stack = ExitStack()
        self.model = self.stack.enter_context(streaming_model())
        name = uuid.uuid4().hex[:12]
        endpoint = Endpoint.objects.create(name=name, base_url=self.model.base_url, model="m")
        person = make_user(Role.RESEARCHER, name)
        self.chat = chat_with(endpoint, person, interruption=interruption, silence=silence)
        self.sent: list[tuple[str, str]] = []
        self.gates: list[Gate] = []
        self.seen: list[list[dict[str, Any]]] = [[], []]
        self.is_ended = False

    @rule(scene=SCENES)
    def answer_with(self, scene: list[Any]) -> None:
        played = []
        for piece in scene:
            if piece == "gate":
                self.gates.append(Gate())
                piece = self.gates[-1]
            played.append(piece)
        self.model.scenes.append(played)

    @rule(text=st.sampled_from(["a", "so", MARK, '<b>&"', "مرحبا", "👋 hi"]))
    def send(self, text: str) -> None:
        name = f"m{len(self.sent)}"
        try:
            recording.send(self.chat.pk, text, name)
        except recording.ChatEndedError:
            assert self.is_ended
            return
        self.sent.append((name, text))
        driving.drivers().ensure(self.chat.pk)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 99))
    def send_again(self, which: int) -> None:
        name, text = self.sent[which % len(self.sent)]
        recording.send(self.chat.pk, text, name)

    @rule(kind=st.sampled_from(["typing", "stopped", "retried", "regenerated"]))
    def sign(self, kind: str) -> None:
        recording.sign(self.chat.pk, kind)
        driving.drivers().ensure(self.chat.pk)

    @rule()
    def open_gates(self) -> None:
        while self.gates:
            self.gates.pop().open()

    @rule()
    def the_process_dies(self) -> None:
        """To the driver: another process holds the chat now, and that one is dead as well."""
        past = timezone.now() - timedelta(seconds=1)
        Chat.objects.filter(pk=self.chat.pk).exclude(driver="").update(driver="dead", driver_until=past)

    @rule(tab=TABS)
    def watch(self, tab: int) -> None:
        """Go on from the last event that this tab has seen, as a browser does when it reconnects."""
        after = self.seen[tab][-1]["number"] if self.seen[tab] else 0
        found = [told for event in recording.events_after(self.chat.pk, after) if (told := watching.shown(event))]
        self.seen[tab] += found

    @precondition(lambda self: len(self.sent) > 6)
    @rule()
    def end(self) -> None:
        recording.sign(self.chat.pk, "ended")
        self.is_ended = True

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        try:
            self.come_to_rest()
            self.check_the_log()
            self.check_what_the_model_was_told()
            self.check_the_tabs()
        finally:
            self.stack.close()

    def come_to_rest(self) -> None:
        self.model.scenes.clear()
        self.open_gates()
        Chat.objects.filter(pk=self.chat.pk, driver="dead").update(driver="", driver_until=None)
        settled(self.chat)

    def check_the_log(self) -> None:
        """Every event once and in order, and everything that was sent is there."""
        events = list(ChatEvent.objects.filter(chat=self.chat).order_by("number"))
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        said = [(event.client_id, event.text) for event in events if event.kind == "sent"]
        assert said == self.sent
        found = recording.conversation_of(self.chat)
        assert not found.asked
        assert found.is_ended == self.is_ended
        assert self.is_ended or found.is_on_hold or not found.unanswered
        assert not LiveCall.objects.filter(chat_events__chat=self.chat, state="sent").exists()
        self.chat.budget.refresh_from_db()
        assert self.chat.budget.reserved == 0

    def check_what_the_model_was_told(self) -> None:
        """Its history equals the bubbles that were shown before it was asked, and all that was sent."""
        log = [
            (event, recording.as_log(event)) for event in ChatEvent.objects.filter(chat=self.chat).order_by("number")
        ]
        setup = Setup.of(self.chat.setup)
        for place, (event, _) in enumerate(log):
            if event.kind == "asked":
                before = conversation(entry for _, entry in log[:place])
                assert event.call is not None
                assert event.call.messages == setup.messages(before.history())
                assert event.call.messages[-1]["role"] == "user"

    def check_the_tabs(self) -> None:
        everything = [told for event in recording.events_after(self.chat.pk, 0) if (told := watching.shown(event))]
        for tab in range(2):
            self.watch(tab)
            assert self.seen[tab] == everything
