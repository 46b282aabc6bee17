"""Chats between a person and a model. The log of events is the evidence; everything shown follows from it."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from annotation.models.assignments import Assignment
from annotation.models.studies import Item
from annotation.models.tokens import opaque_token
from dialogues.models import Dialogue, Rubric
from generation.models import Endpoint, LiveBudget, LiveCall


class ChatQuerySet(models.QuerySet["Chat"]):
    def of(self, person: Any) -> Self:
        """Their own chats outside studies."""
        return self.filter(person=person.pk, assignment=None)

    def in_study(self, study: Any) -> Self:
        """Chats for items that count, without those that only try the page."""
        return self.filter(assignment__study=study, assignment__item__purpose=Item.Purpose.RATED)

    def held(self) -> Self:
        """Chats in studies whose person has the place that they were held for: not those of somebody who lost it."""
        return self.filter(assignment__membership__rater=F("person"))

    def in_progress(self) -> Self:
        """Chats in studies that have not ended, and can go on."""
        return self.held().filter(state=Chat.State.OPEN, assignment__state=Assignment.State.OPEN)

    def searched(self, text: str) -> Self:
        """Chats whose title or messages hold the text."""
        if not text:
            return self.all()
        said = ChatEvent.objects.filter(chat=models.OuterRef("pk"), text__icontains=text)
        return self.filter(Q(title__icontains=text) | models.Exists(said))


class Chat(models.Model):
    """One person's chat with one system."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ENDED = "ended", "Ended"

    token = models.CharField(max_length=32, unique=True, default=opaque_token)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chats")
    title = models.CharField(max_length=120)
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="chats")
    setup = models.JSONField(help_text="annotation.chats.setup.Setup: fixed when the chat begins.")
    budget = models.OneToOneField(LiveBudget, models.PROTECT, related_name="chat")
    # The place in a study that it was held for; its person is the rater who had the place then.
    assignment = models.ForeignKey(Assignment, models.CASCADE, null=True, blank=True, related_name="chats")
    # What it became in a corpus.
    dialogue = models.OneToOneField(Dialogue, models.SET_NULL, null=True, blank=True, related_name="chat")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    # How many events there are; whoever writes the next one holds this row's lock.
    last_number = models.PositiveIntegerField(default=0)
    # Which process answers, and until when nobody else may.
    driver = models.CharField(max_length=100, blank=True)
    driver_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ChatQuerySet.as_manager()

    class Meta:
        ordering = ("-changed_at", "-pk")
        constraints = [models.UniqueConstraint(fields=["assignment", "person"], name="chat_once_a_place_and_person")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("chat", args=[self.token])

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def last_rating(self) -> "ChatRating | None":
        """The scores that count; from the prefetched rows where there are any."""
        return next(iter(self.ratings.all()), None)


class ChatEvent(models.Model):
    """What happened in a chat, in order. Rows are never changed."""

    class Kind(models.TextChoices):
        TYPING = "typing", "Is typing"
        SENT = "sent", "Sent a message"
        ASKED = "asked", "The model was asked"
        FIRST_TOKEN = "first_token", "The reply began to come"
        BUBBLE_READY = "bubble_ready", "A bubble of the reply is complete"
        BUBBLE_SHOWN = "bubble_shown", "A bubble was shown"
        REPLIED = "replied", "The reply is complete"
        ABORTED = "aborted", "The reply was broken off"
        FAILED = "failed", "No reply came"
        RETRIED = "retried", "Asked to try again"
        REGENERATED = "regenerated", "Asked for another reply"
        STOPPED = "stopped", "Asked to stop the reply"
        WAITED = "waited", "The model chose to wait"
        LEFT = "left", "Left the chat"
        ENDED = "ended", "Ended the chat"

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    # Of what a person sent or a bubble says.
    text = models.TextField(blank=True)
    # A person's message as the browser names it, so that one that is sent twice is there once.
    client_id = models.CharField(max_length=40, blank=True)
    call = models.ForeignKey(LiveCall, models.PROTECT, null=True, blank=True, related_name="chat_events")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["chat", "number"], name="chat_event_number_unique"),
            models.UniqueConstraint(
                fields=["chat", "client_id"], condition=~Q(client_id=""), name="chat_message_sent_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chat_id}/{self.number} {self.kind}"


class ChatRating(models.Model):
    """How a person scored a chat of theirs outside studies. Rows are never changed: the last one counts."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="ratings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="chat_ratings")
    # By the rubric's keys: {"natural": 4}.
    scores = models.JSONField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.chat_id}: {self.scores}"

    @property
    def mean(self) -> float:
        """Over the rubric's questions."""
        return float(sum(self.scores.values()) / len(self.scores))
