"""A tester's side of a study of chats: chat, finish, score; limits, blindness, skipping and leaving."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.chats import driving, places, recording
from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Chat, ChatEvent, Item, Membership, Rating, Study
from annotation.monitoring import states
from annotation.rating import membership_changes, queue
from dialogues.models import Dialogue
from generation.models import LiveCall
from tests.annotation.chat_designs import chat_study, endpoint, system
from tests.annotation.chatting import said, say, settled
from tests.annotation.setting import even, member
from tests.annotation.streaming_model import StreamingModel
from tests.people import client_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = ChatPlan(pace="none", silence=0.0, least_turns=2, most_turns=3, minutes=20, practice=False)


@pytest.fixture(autouse=True)
def at_rest(model: StreamingModel) -> Iterator[None]:
    yield
    # What still answers would write into tables that are being emptied.
    until(lambda: not driving.drivers().at_work, "nobody answers a chat any more", 60)


def made(model: StreamingModel, k: int | None = 1, **plan: Any) -> Study:
    systems = [
        system(name, endpoint=endpoint(f"At {name}", base_url=model.base_url, model=f"secret-model-{name}"))
        for name in ("Tuned", "Untuned")
    ]
    chosen = ChatPlan(**(QUICK.as_json() | plan))
    return chat_study(k, systems=systems, chat_plan=chosen.as_json(), minutes_estimate=None, pay_note="")


def taken(tester: Membership) -> Assignment:
    place = queue.next_assignment(tester, now=timezone.now())
    assert place is not None
    return place


def chatted(place: Assignment, turns: int = 2) -> Chat:
    """The place's chat with that many answered turns; not ended by the tester."""
    chat = places.begin(place)
    for turn in range(turns):
        say(chat, f"turn {turn}")
        settled(chat)
    return chat


def score(tester: Membership, place: Assignment, value: int = 4) -> Rating:
    submitted = queue.submit(
        tester.rater, place.token, submission_id=place.submission_id, answer=even(value), now=timezone.now()
    )
    return submitted.rating


def test_a_tester_chats_finishes_and_scores_and_the_chat_is_a_dialogue(model: StreamingModel) -> None:
    study = made(model)
    tester = member(study, "ann")
    browser = client_of(tester)
    place = taken(tester)
    page = browser.get(reverse("rate_item", args=[place.token]))
    assert page.headers["Location"] == reverse("rate_chat", args=[place.token])
    assert browser.get(page.headers["Location"]).status_code == 200
    chat = chatted(place, turns=1)
    finish = reverse("rate_chat_finish", args=[place.token])
    assert browser.post(finish).headers["Location"] == reverse("rate_chat", args=[place.token])
    assert Chat.objects.get().is_open
    say(chat, "enough")
    settled(chat)
    assert browser.post(finish).headers["Location"] == reverse("rate_item", args=[place.token])
    page = browser.get(reverse("rate_item", args=[place.token]))
    assert page.status_code == 200
    assert "enough" in page.content.decode()
    score(tester, place)
    kept = Chat.objects.get().dialogue
    assert kept is not None
    assert [text for _, text in kept.messages] == [text for _, text in said(chat)]
    assert len(kept.times) == len(kept.messages)
    assert (kept.origin, kept.corpus) == (place.item.background, study.corpus)
    assert kept.version == place.item.dialogue.version
    assert browser.get(reverse("rate_chat", args=[place.token])).status_code == 302


def test_scores_wait_for_the_end_of_the_chat(model: StreamingModel) -> None:
    tester = member(made(model), "ann")
    place = taken(tester)
    with pytest.raises(queue.QueueError, match="Finish the chat"):
        score(tester, place)
    chatted(place)
    with pytest.raises(queue.QueueError, match="Finish the chat"):
        queue.save_draft(tester.rater, place.token, version=0, answer=even(3), now=timezone.now())
    assert not Rating.objects.exists()


def test_a_chat_ends_by_itself_after_its_last_turn_or_when_its_time_is_up(model: StreamingModel) -> None:
    study = made(model)
    place = taken(member(study, "ann"))
    chat = chatted(place, turns=3)
    assert ChatEvent.objects.filter(chat=chat).last().detail == {"why": "turns"}  # type: ignore[union-attr]
    other = places.begin(taken(member(study, "ben")))
    say(other, "hello")
    settled(other)
    recording.end_if_late(other.pk)
    assert Chat.objects.get(pk=other.pk).is_open
    began = timezone.now() - timedelta(minutes=21)
    ChatEvent.objects.filter(chat=other).update(at=began)
    Chat.objects.filter(pk=other.pk).update(created_at=began)
    with pytest.raises(recording.ChatEndedError):
        recording.send(other.pk, "too late", "late")
    assert ChatEvent.objects.filter(chat=other).last().detail == {"why": "time"}  # type: ignore[union-attr]


def test_each_background_and_system_gets_its_chats_and_no_tester_more_than_theirs(model: StreamingModel) -> None:
    study = made(model, k=2, chats_each=3, least_turns=1)
    for name in ("ann", "ben", "eve", "joe", "kim", "lee"):
        tester = member(study, name)
        while place := queue.next_assignment(tester, now=timezone.now()):
            recording.end(chatted(place, turns=1).pk, "person")
            score(tester, place)
            tester.refresh_from_db()
        assert tester.assignments.count() <= 3
        assert not queue.others_hold_slots(tester) or tester.assignments.count() < 3
    cells = Assignment.objects.filter(state="submitted").values_list("item__background", "item__dialogue__version")
    assert len(cells) == 12
    assert all(list(cells).count(cell) == 2 for cell in cells)
    assert Dialogue.objects.filter(version__slug__startswith="chat-", corpus=study.corpus).count() == 12


def test_two_tabs_begin_one_chat_and_pace_follows_one_law_for_all_systems(model: StreamingModel) -> None:
    study = made(model)
    place = taken(member(study, "ann"))
    assert places.begin(place) == places.begin(place)
    other = places.begin(taken(member(study, "ben")))
    mine = Chat.objects.exclude(pk=other.pk).get()
    same = ("pace", "silence", "interruption", "least_turns", "most_turns", "minutes", "longest_silence")
    assert [mine.setup[name] for name in same] == [other.setup[name] for name in same]
    assert mine.setup["seed"] != other.setup["seed"]
    assert mine.budget.parent == other.budget.parent == study.chat_budget


def test_skipping_ends_the_chat_and_frees_its_place(model: StreamingModel) -> None:
    study = made(model)
    tester = member(study, "ann")
    place = taken(tester)
    chat = chatted(place, turns=1)
    queue.skip(tester.rater, place.token, reason="technical")
    assert not Chat.objects.get(pk=chat.pk).is_open
    assert Assignment.objects.filter(item=place.item, slot__isnull=False, membership=None).count() == 1


@pytest.mark.parametrize("policy", ["keep", "remove"])
def test_who_leaves_takes_their_words_along_unless_the_study_keeps_scored_chats(
    model: StreamingModel, policy: str
) -> None:
    study = made(model, least_turns=1)
    Study.objects.filter(pk=study.pk).update(withdrawal=policy)
    tester = member(Study.objects.get(pk=study.pk), "ann")
    person = tester.rater
    scored = taken(tester)
    recording.end(chatted(scored, turns=1).pk, "person")
    score(tester, scored)
    tester.refresh_from_db()
    chatted(taken(tester), turns=1)
    membership_changes.withdraw(membership=tester, by=None)
    kept = Chat.objects.all()
    assert kept.count() == (1 if policy == "keep" else 0)
    assert not kept.filter(person=person).exists()
    calls = LiveCall.objects.all()
    assert calls.count() == 2
    assert [bool(call.messages) for call in calls] == [policy == "keep", False]
    assert Dialogue.objects.filter(corpus=study.corpus, version__slug__startswith="chat-").count() == kept.count()


def test_a_chat_is_its_testers_alone_as_long_as_they_have_the_place(model: StreamingModel) -> None:
    study = made(model)
    ann, ben = member(study, "ann"), member(study, "ben")
    place = taken(ann)
    chat = chatted(place, turns=1)
    sent: dict[str, Any] = {"data": {"text": "hi", "id": "one"}, "content_type": "application/json"}
    address = reverse("chat_send", args=[chat.token])
    assert client_of(ben).post(address, **sent).status_code == 404
    assert client_of(ann).post(address, **sent).status_code == 200
    assert client_of(ann).get(reverse("chat_download", args=[chat.token])).status_code in (403, 404)
    assert client_of(ann).post(reverse("chat_sign", args=[chat.token, "end"])).status_code == 404
    Assignment.objects.filter(pk=place.pk).update(membership=ben)
    assert client_of(ann).post(address, **sent).status_code == 404
    assert client_of(ann).get(reverse("rate_chat", args=[place.token])).status_code == 404


def test_nothing_is_added_to_a_chat_while_its_study_is_paused(model: StreamingModel) -> None:
    study = made(model)
    tester = member(study, "ann")
    place = taken(tester)
    chat = chatted(place, turns=1)
    states.pause(study=study, by=None)
    sent: dict[str, Any] = {"data": {"text": "hi", "id": "one"}, "content_type": "application/json"}
    answer = client_of(tester).post(reverse("chat_send", args=[chat.token]), **sent)
    assert (answer.status_code, "paused" in answer.json()["detail"]) == (409, True)
    assert client_of(tester).get(reverse("rate_chat", args=[place.token]), follow=True).status_code == 200
    assert len(said(chat)) == 2


def test_a_practice_chat_comes_first_and_counts_nowhere(model: StreamingModel) -> None:
    study = made(model, practice=True, least_turns=1)
    tester = member(study, "ann")
    browser = client_of(tester)
    start = browser.get(reverse("rate_next", args=[tester.token]), follow=True)
    assert "Practice chat" in start.content.decode()
    lesson = Assignment.objects.get(membership=tester, item__purpose=Item.Purpose.TRAINING)
    chat = places.begin(lesson)
    say(chat, "trying")
    settled(chat)
    recording.end(chat.pk, "person")
    score(tester, lesson)
    assert Chat.objects.get().dialogue is None
    assert not Chat.objects.in_study(study).exists()
    assert browser.get(reverse("rate_feedback", args=[lesson.token])).status_code == 200
    assert browser.post(reverse("rate_practice", args=[tester.token]), follow=True).status_code == 200
    assert Chat.objects.count() == 2


SECRETS = ("secret-model", "At Tuned", "Tuned", "<|msg|>", "http://127.0.0.1", "chat-tuned", "delimiter", "temperature")


def test_no_byte_for_a_tester_tells_the_systems_apart(model: StreamingModel) -> None:
    study = made(model, least_turns=1)
    study.public_name = "Chats"
    tester = member(study, "ann")
    browser = client_of(tester)
    place = taken(tester)
    seen = [browser.get(reverse("rate_chat", args=[place.token]))]
    chat = chatted(place, turns=1)
    seen += [browser.get(reverse("rate_chat", args=[place.token])), _events(browser, chat)]
    browser.post(reverse("rate_chat_finish", args=[place.token]))
    seen += [browser.get(reverse("rate_item", args=[place.token])), browser.get(reverse("rate"))]
    score(tester, place)
    seen += [browser.get(reverse(name, args=[tester.token])) for name in ("rate_welcome", "rate_rated")]
    setup = Chat.objects.get(pk=chat.pk).setup
    for page in seen:
        assert page.status_code == 200
        text = page.content.decode() if not page.streaming else "".join(_told(page))
        found = [secret for secret in (*SECRETS, setup["system"], str(setup["seed"])) if secret and secret in text]
        assert not found, (page.request["PATH_INFO"], found)


def _events(browser: Client, chat: Chat) -> Any:
    """The chat's events from the first, of a chat that has ended, so that the stream ends too."""
    recording.end(chat.pk, "person")
    return browser.get(reverse("chat_events", args=[chat.token]))


def _told(page: Any) -> list[str]:
    async def all_of() -> list[str]:
        return [part.decode() async for part in page]

    return async_to_sync(all_of)()
