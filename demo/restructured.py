"""What the demo shows of restructuring: one dialogue waiting for review, two still to be done."""

import uuid

from django.contrib.auth.models import User
from django.utils import timezone

from annotation.models import Item, Restructuring
from annotation.restructuring import drafts, seeds
from annotation.restructuring.proposals import RULES, proposal
from dialogues.models import Corpus, Dialogue

ASKED = 3
INSTRUCTIONS = """\
Cut each message where a person would press send: after a reaction, before a question, when the thought moves on.
Keep the words and their order; reword only what sounds wrong once it stands alone.
"""


def load(corpus: Corpus, researcher: User, rater: User) -> None:
    """Ask the rater for the first γ, and do one of them by the rules' proposals; nothing where that was done."""
    if Restructuring.objects.exists():
        return
    # Nobody restructures what they rate.
    rated = Item.objects.filter(study__memberships__rater=rater).values("background")
    gammas = Dialogue.objects.filter(corpus=corpus, version="gamma").exclude(origin__in=rated)
    dialogues = list(gammas.order_by("pk")[:ASKED])
    seeds.ask(dialogues=[row.pk for row in dialogues], people=[rater], instructions=INSTRUCTIONS, by=researcher)
    first = Restructuring.objects.order_by("pk").first()
    if first is not None:
        _hand_in(first, rater)


def _hand_in(row: Restructuring, by: User) -> None:
    """With every second proposal taken, from the last on, so that the places of the others stay what they are."""
    proposed = [(at, texts) for at, texts in enumerate(proposal(row.original, RULES, by)) if len(texts) > 1]
    bodies = [{"op": "accept", "at": at, "texts": texts, "by": RULES} for at, texts in reversed(proposed[::2])]
    now = timezone.now()
    sent = [drafts.Sent(uuid.uuid4(), body) for body in bodies]
    if sent:
        kept = drafts.save_operations(by, row.token, version=0, operations=sent, now=now)
        drafts.submit(by, row.token, version=kept.version, now=now)
