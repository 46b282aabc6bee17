"""Studies of chats with their chats and scores, written straight through the models.

A study is made with `chat_study`, a tester joins with `join`, takes a place with `hold`, and chats with `begin`, `play`
and `end`; `score` rates the chat. `chatted` does all of that in one go.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.text import slugify

from annotation.allocation.slots import make_slots, number_items
from annotation.chats.log import transcript
from annotation.chats.plan import ChatPlan
from annotation.chats.recording import conversation_of
from annotation.chats.setup import Setup
from annotation.models import (
    NO_LEASE,
    Assignment,
    Chat,
    ChatEvent,
    ChatSystem,
    Item,
    Membership,
    Rating,
    Score,
    Study,
)
from annotation.reports import unblinding
from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.transcript import Transcript
from generation.models import Endpoint, LiveBudget
from generation.trials.copies import scratch_corpus
from tests.annotation.rated_study import join as join
from tests.dialogues.rows import add_dialogue

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_CHAT = "(a chat)"
SECRET = "secret-model-9000"
SYSTEMS = ("Tuned", "Plain")
KEYS = ("interesting", "informative", "natural", "engaging")


class Happened(NamedTuple):
    """One event, `at` seconds after the chat began."""

    at: float
    kind: str
    text: str = ""
    detail: Mapping[str, Any] = {}


def chat_study(
    *,
    name: str = "Chats",
    systems: Sequence[str] = SYSTEMS,
    backgrounds: int = 2,
    k: int = 1,
    plan: ChatPlan = ChatPlan(practice=False),  # noqa: B008 - frozen
    unblinded: bool = True,
    **fields: Any,
) -> Study:
    """An open study with its free places; `fields` are the study's."""
    corpus = Corpus.objects.create(name=f"{name} corpus")
    originals = [
        add_dialogue(
            corpus, f"d{number}", [[1, "hi"], [2, "hello"]], theme=f"Theme {number}.", traits_1=["I bake."],
            traits_2=["I swim."],
        )
        for number in range(backgrounds)
    ]  # fmt: skip
    pot = LiveBudget.objects.create(name=name)
    study = Study.objects.create(
        **{
            "name": name, "kind": Study.Kind.CHATS, "corpus": corpus, "rubric": Rubric.objects.get(slug="chat-four"),
            "seed": 7, "raters_per_item": k, "chat_plan": plan.as_json(), "chat_budget": pot, **fields,
        }
    )  # fmt: skip
    for position, label in enumerate(systems):
        _system(study, label, position)
    _items(study, originals, practice=plan.practice)
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN, launched_at=NOON)
    study.refresh_from_db()
    if unblinded:
        unblinding.unblind(study=study, by=None, how="on purpose")
    return study


def _system(study: Study, label: str, position: int) -> ChatSystem:
    slug = f"chat-{slugify(label)}"
    version, _ = Version.objects.get_or_create(slug=slug, defaults={"symbol": label[:20], "name": label})
    endpoint = Endpoint.objects.create(
        name=f"{study.name} {label}", model=f"{SECRET}-{slug}", base_url="http://127.0.0.1:9"
    )
    study.versions.add(version)
    return ChatSystem.objects.create(
        study=study, version=version, endpoint=endpoint, mode="trained", delimiter="<|msg|>", position=position
    )


def _items(study: Study, originals: Sequence[Dialogue], *, practice: bool) -> None:
    position = 0
    for original in originals:
        for system in study.systems.select_related("endpoint"):
            _item(study, original, system, position, "rated")
            position += 1
    if practice:
        first = study.systems.select_related("endpoint").first()
        assert first is not None
        _item(study, originals[0], first, position, "training")
    study.selection = {"items": position, "backgrounds": len(originals)}
    study.save(update_fields=["selection"])
    make_slots(study, range(1, (study.raters_per_item or 1) + 1), number_items(study))


def _item(study: Study, original: Dialogue, system: ChatSystem, position: int, purpose: str) -> Item:
    key = f"chat study {study.pk}/{original.pk}/{system.version_id}{'/practice' if purpose == 'training' else ''}"
    placeholder = add_dialogue(
        scratch_corpus(), key, [[1, NO_CHAT]], system.version_id, written_by=system.endpoint.model,
        is_demo=system.endpoint.is_demo,
    )  # fmt: skip
    return Item.objects.create(
        study=study, purpose=purpose, dialogue=placeholder, background=original, theme=original.theme,
        traits_1=original.traits_1, traits_2=original.traits_2, position=position,
    )  # fmt: skip


def hold(member: Membership, system: str, background: int = 0) -> Assignment:
    """The member takes a free place of this system and background."""
    item = member.study.items.get(
        purpose="rated", dialogue__version=f"chat-{slugify(system)}", background__key=f"d{background}"
    )
    place = Assignment.objects.filter(item=item, membership=None).earliest("slot")
    Assignment.objects.filter(pk=place.pk).update(membership=member, opened_at=NOON, lease_until=NO_LEASE)
    place.refresh_from_db()
    return place


def practise(member: Membership) -> Assignment:
    """The member's place in the practice chat."""
    item = member.study.items.get(purpose="training")
    return Assignment.objects.create(study=member.study, item=item, membership=member, position=0)


def begin(place: Assignment) -> Chat:
    """The chat of a place, by whoever has it now."""
    assert place.membership is not None
    version = place.item.dialogue.version_id
    system = place.study.systems.select_related("endpoint").get(version=version)
    setup = Setup(
        parameters={"model": system.endpoint.model},
        system=f"You are {SECRET}.",
        delimiter=system.delimiter,
        theme=place.item.theme,
        traits_of_model=place.item.traits_2,
        traits_of_person=place.item.traits_1,
    )
    pot = LiveBudget.objects.create(name="a chat", parent=place.study.chat_budget)
    return Chat.objects.create(
        person=place.membership.rater, title="Chat", endpoint=system.endpoint, setup=setup.as_json(), budget=pot,
        assignment=place,
    )  # fmt: skip


def play(chat: Chat, events: Iterable[Happened]) -> Chat:
    """Write these events, numbered on."""
    rows = [
        ChatEvent(
            chat=chat, number=number, at=NOON + timedelta(seconds=one.at), kind=one.kind, text=one.text,
            detail=dict(one.detail),
        )
        for number, one in enumerate(events, chat.last_number + 1)
    ]  # fmt: skip
    ChatEvent.objects.bulk_create(rows)
    chat.last_number += len(rows)
    chat.save(update_fields=["last_number"])
    return chat


def exchange(at: float, said: Sequence[str], replied: Sequence[str], *, planned: float = 1.0) -> list[Happened]:
    """The person's messages, a second apart; the model is asked 2.5 seconds later, and shows a bubble every `planned`
    seconds, a tenth of a second late."""
    sent = [Happened(at + number, "sent", text) for number, text in enumerate(said)]
    asked = at + len(said) - 1 + 2.5
    shown = [
        Happened(asked + number * (planned + 0.1), "bubble_shown", text, {"planned": planned})
        for number, text in enumerate(replied, 1)
    ]
    return [*sent, Happened(asked, "asked"), *shown, Happened(asked + len(shown) * (planned + 0.1), "replied")]


def end(chat: Chat, at: float, why: str = "person") -> Chat:
    """End the chat; if both sides said something, it becomes a dialogue of its study's corpus."""
    play(chat, [Happened(at, "ended", detail={"why": why})])
    chat.state = Chat.State.ENDED
    bubbles = conversation_of(chat).bubbles
    if chat.assignment and {one.speaker for one in bubbles} == {"person", "model"}:
        item = chat.assignment.item
        dialogue = Dialogue.from_transcript(
            Transcript.of(transcript(bubbles)), corpus=chat.assignment.study.corpus, key=f"chat {chat.pk}",
            version_id=item.dialogue.version_id, origin=item.background, parent=item.background,
            written_by=chat.endpoint.model, is_demo=chat.endpoint.is_demo,
        )  # fmt: skip
        dialogue.save()
        chat.dialogue = dialogue
    chat.save(update_fields=["state", "dialogue"])
    return chat


def score(place: Assignment, values: Sequence[int], **fields: Any) -> Rating:
    """A submitted rating with these scores, in the order of the rubric; `fields` are the rating's."""
    Assignment.objects.filter(pk=place.pk).update(state=Assignment.State.SUBMITTED)
    rating = Rating.objects.create(assignment=place, **fields)
    rubric = place.study.rubric
    Score.objects.bulk_create(
        Score(
            rating=rating, metric=metric.key, value=value, scale_low=rubric.scale_low, scale_high=rubric.scale_high
        )
        for metric, value in zip(rubric.metric_list(), values, strict=True)
    )  # fmt: skip
    return rating


SMALL_TALK = [*exchange(0, ["hi there", "how are you ?"], ["fine", "and you ?"]), *exchange(60, ["good"], ["nice !"])]


def chatted(
    member: Membership,
    system: str,
    background: int = 0,
    *,
    events: Iterable[Happened] = SMALL_TALK,
    values: Sequence[int] = (4, 3, 5, 4),
    why: str = "person",
) -> Chat:
    """The member chats with this system about this background until minute two, and scores the chat."""
    place = hold(member, system, background)
    chat = end(play(begin(place), events), 120, why)
    score(place, values)
    return chat


def chatted_study(**fields: Any) -> Study:
    """Two systems on two backgrounds; each of two testers chatted with one system on each background, and Tuned is
    scored two points higher."""
    study = chat_study(**fields)
    ann, ben = join(study, 0), join(study, 1)
    chatted(ann, "Tuned", 0, values=(5, 4, 5, 4))
    chatted(ben, "Plain", 0, values=(3, 2, 3, 2), events=exchange(0, ["hello"], ["Hello, I am a model."]))
    chatted(ann, "Plain", 1, values=(2, 1, 2, 1), events=exchange(0, ["hello you"], ["Hello. What is it?"]))
    chatted(ben, "Tuned", 1, values=(4, 3, 4, 3))
    return study
