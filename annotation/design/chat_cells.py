"""The cells of a chat study: one item for each system and background, and the chat that only tries the page.

Nobody has chatted at the launch, so an item's dialogue is a placeholder: it names the system by its version, and stands
in the corpus that no list shows. What a tester writes becomes a dialogue of its own.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from annotation.chats.plan import ChatPlan
from annotation.design.selection import Choice, Unit
from annotation.models import Item, Study
from annotation.models.studies import ChatSystem
from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation.background import study_background
from generation.models import LiveBudget
from generation.trials.copies import scratch_corpus

NO_CHAT = "Nobody has chatted yet."
BATCH = 1000


def placeholders(study: Study, units: Sequence[Unit]) -> list[int]:
    """New placeholders for these cells, in their order, by their keys."""
    systems = _systems(study)
    corpus = scratch_corpus()
    rows = [_placeholder(study, systems[unit.version], unit.choice.background) for unit in units]
    for row in rows:
        row.corpus = corpus
    return [row.pk for row in Dialogue.objects.bulk_create(rows, batch_size=BATCH)]


def make_practice(study: Study, choice: Choice, position: int) -> Item:
    """The chat that every tester has first, with the first system; it counts nowhere."""
    system = next(iter(_systems(study).values()))
    held = _placeholder(study, system, choice.background, "/practice")
    held.corpus = scratch_corpus()
    held.save()
    shown = Dialogue.objects.in_bulk([choice.background, choice.donor])
    theme, traits_1, traits_2 = study_background(shown[choice.background], shown[choice.donor])
    return Item.objects.create(
        study=study,
        purpose=Item.Purpose.TRAINING,
        dialogue=held,
        background=shown[choice.background],
        theme=theme,
        traits_1=traits_1,
        traits_2=traits_2,
        position=position,
    )


def make_budget(study: Study) -> LiveBudget:
    """What all chats of the study together may cost."""
    limit = ChatPlan.of(study.chat_plan).budget
    return LiveBudget.objects.create(
        name=f"the chats of “{study.name[:80]}”", budget=None if limit is None else Decimal(str(limit))
    )


def _systems(study: Study) -> Mapping[str, ChatSystem]:
    """By version, in the order that the researcher gave them."""
    return {row.version_id: row for row in study.systems.select_related("endpoint")}


def _placeholder(study: Study, system: ChatSystem, background: int, ending: str = "") -> Dialogue:
    return Dialogue.from_transcript(
        Transcript.of([[1, NO_CHAT]]),
        key=f"chat study {study.pk}/{background}/{system.version_id}{ending}",
        version_id=system.version_id,
        written_by=system.endpoint.model,
        is_demo=system.endpoint.is_demo,
    )
