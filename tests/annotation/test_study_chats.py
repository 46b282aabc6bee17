"""A study's chats as researchers watch and read them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Chat, Membership, Profile, Score, Study
from annotation.monitoring.chat_quality import ChatQuality, Flag, chat_quality, flags
from annotation.monitoring.chats import Stage, chat_rows
from annotation.monitoring.raters import rater_rows
from annotation.reports import unblinding
from annotation.reports.chat_figures import ChatFacts
from annotation.roles import Role
from dialogues.models import AuditEvent
from generation.models import Endpoint
from tests.annotation.chat_studies import (
    NO_CHAT,
    NOON,
    SECRET,
    Happened,
    begin,
    chat_study,
    chatted,
    chatted_study,
    end,
    exchange,
    hold,
    join,
    play,
    practise,
)
from tests.annotation.rated_study import rated_study
from tests.people import client_of, logged_in

HOSTILE = "<script>x()</script>{{ 7|add:7 }}"


def said(turns: int = 4, **fields: Any) -> ChatFacts:
    """A finished chat of an ordinary length and pace."""
    values = {
        "turns": turns,
        "person_messages": 5,
        "model_messages": 5,
        "later_words": 20,
        "model_words": 40,
        "spent": 120.0,
        "ended_by": "person",
    }
    return ChatFacts(**{**values, **fields})


@pytest.mark.parametrize(
    ("chat", "scores", "expected"),
    [
        (said(), (4, 3, 4, 4), ()),
        (said(), (4, 4, 4, 4), (Flag.STRAIGHT,)),
        (said(), (4,), ()),
        (said(turns=3), (), (Flag.SHORT,)),
        (said(turns=3, ended_by=""), (), ()),
        (said(model_messages=0), (), (Flag.EMPTY,)),
        # 40 words read at 476 a minute and 20 typed at 104 take 16.6 seconds.
        (said(spent=16.5), (), (Flag.FAST,)),
        (said(spent=16.7), (), ()),
        (said(turns=1, spent=1.0), (3, 3), (Flag.SHORT, Flag.FAST, Flag.STRAIGHT)),
    ],
)
def test_a_chat_is_marked_for_what_is_odd_about_it(
    chat: ChatFacts, scores: tuple[int, ...], expected: tuple[Flag, ...]
) -> None:
    assert flags(chat, scores, least_turns=4) == expected


def test_a_testers_figures_are_of_the_chats_that_ended() -> None:
    chats = [
        said(turns=4, seconds=60.0, person_words=10),
        said(turns=9, seconds=180.0, person_words=30, spent=1.0),
        said(turns=50, seconds=6000.0, ended_by=""),
    ]
    assert chat_quality(chats) == ChatQuality(chats=2, turns=6.5, minutes=2.0, words=4.0, fast=0.5)
    assert chat_quality([]) == ChatQuality(0, None, None, None, None)


def page_of(browser: Client, study: Study, **query: str) -> Any:
    response = browser.get(reverse("study_chats", args=[study.pk]), query)
    assert response.status_code == 200
    return response


@pytest.mark.django_db
def test_every_chat_is_a_row_with_its_stage(browser: Client) -> None:
    study = chat_study(backgrounds=3, plan=ChatPlan(practice=True, least_turns=2))
    ann, ben = join(study, 0), join(study, 1)
    end(play(begin(practise(ann)), exchange(0, ["try"], ["ok"])), 30)
    chatted(ann, "Tuned", 0, values=(3, 3, 3, 3))
    end(play(begin(hold(ann, "Tuned", 1)), [Happened(0, "sent", "hi")]), 60, "time")
    play(begin(hold(ben, "Plain", 1)), exchange(0, ["hi"], ["ok"]))
    place = hold(ann, "Plain", 2)
    begin(place)
    Assignment.objects.filter(pk=place.pk).update(membership=ben)
    rows = chat_rows(study)
    assert [row.stage for row in rows] == [Stage.SCORED, Stage.ENDED, Stage.CHATTING, Stage.LOST]
    assert [row.flags for row in rows] == [(Flag.STRAIGHT,), (Flag.EMPTY,), (), ()]
    assert [row.member for row in rows] == [ann, ann, ben, ann]
    html = page_of(browser, study).content.decode()
    marked = re.findall(r'aria-current="true">([^<]+)<', html)
    assert "Studies" in marked
    assert "Chats" not in marked
    assert "4 chats, 1 in progress, 1 empty" in re.sub(r"\s+", " ", html)
    assert html.count("<tr") == 5
    assert "1 chat in progress" in browser.get(study.get_absolute_url()).content.decode()


@pytest.mark.django_db
def test_a_heading_sorts_and_a_blind_study_does_not_sort_by_system(browser: Client) -> None:
    study = chatted_study(unblinded=False)

    def order(sort: str) -> list[str]:
        return [row.version.slug for row in page_of(browser, study, sort=sort).context["page"]]

    assert order("-turns")[:1] == ["chat-tuned"]
    assert order("system") == order("no such column") == ["chat-tuned", "chat-plain", "chat-plain", "chat-tuned"]
    unblinding.unblind(study=study, by=None, how="on purpose")
    assert order("system") == ["chat-plain", "chat-plain", "chat-tuned", "chat-tuned"]


@pytest.mark.django_db
def test_while_the_study_is_blind_no_page_of_a_chat_tells_its_system(browser: Client) -> None:
    study = chatted_study(unblinded=False)
    chat = Chat.objects.select_related("dialogue").earliest("pk")
    assert chat.dialogue is not None
    addresses = [reverse("study_chats", args=[study.pk]), reverse("study_chat", args=[study.pk, chat.pk])]
    told = ("Tuned", "chat-tuned", "Plain", SECRET, NO_CHAT, chat.dialogue.get_absolute_url())
    for address in addresses:
        html = browser.get(address).content.decode()
        assert [text for text in told if text in html] == []
        assert "hidden until the study is unblinded" in html
    assert not AuditEvent.objects.exists()
    unblinding.unblind(study=study, by=None, how="on purpose")
    assert all("Tuned" in browser.get(address).content.decode() for address in addresses)


@pytest.mark.django_db
def test_a_chat_is_read_with_the_times_of_its_messages_and_its_scores(browser: Client) -> None:
    study = chat_study(backgrounds=1)
    chat = chatted(
        join(study, 0),
        "Tuned",
        events=[*exchange(0, ["hi there"], ["hello"]), Happened(60, "sent", "and?"), Happened(63, "asked"),
                Happened(64, "failed", detail={"trouble": "rate_limited", "again": False})],
        values=(1, 2, 3, 4),
    )  # fmt: skip
    response = browser.get(reverse("study_chat", args=[study.pk, chat.pk]))
    (one, two, three) = response.context["turns"]
    assert [turn["messages"] for turn in (one, two, three)] == [["hi there"], ["hello"], ["and?"]]
    html = response.content.decode()
    assert f'datetime="{NOON.isoformat()}"' in html
    assert f'datetime="{(NOON + timedelta(minutes=1)).isoformat()}"' in html
    assert "No reply came: the endpoint was busy" in html
    assert "Ended the chat: the tester" in html
    assert re.findall(r"<dt>(?:Interesting|Informative|Natural|Engaging)</dt><dd>(\d)</dd>", html) == list("1234")
    assert "Theme 0." in html


@pytest.mark.django_db
def test_scores_of_the_tester_who_has_the_place_now_are_not_shown_with_the_chat_of_who_had_it(browser: Client) -> None:
    study = chat_study(backgrounds=1)
    ann, ben = join(study, 0), join(study, 1)
    place = hold(ann, "Tuned")
    lost = end(play(begin(place), exchange(0, ["a"], ["b"])), 30)
    Assignment.objects.filter(pk=place.pk).update(membership=None)
    chatted(ben, "Tuned")
    html = browser.get(reverse("study_chat", args=[study.pk, lost.pk])).content.decode()
    assert "This chat was not scored." in html
    assert "place given to another tester" in html


@pytest.mark.django_db
def test_hostile_texts_stay_text(browser: Client) -> None:
    study = chat_study(name=f"Study {HOSTILE}", backgrounds=1)
    chat = chatted(join(study, 0), "Tuned", events=exchange(0, [HOSTILE], [HOSTILE]))
    Score.objects.update(comment=HOSTILE)
    for address in (reverse("study_chats", args=[study.pk]), reverse("study_chat", args=[study.pk, chat.pk])):
        html = browser.get(address).content.decode()
        assert "<script>x" not in html
        assert "&lt;script&gt;x()" in html
        assert "{{ 7|add:7 }}" in html


@pytest.mark.django_db
def test_a_chat_without_a_word_and_a_study_without_chats_have_pages(browser: Client) -> None:
    study = chat_study()
    assert "No chats yet" in page_of(browser, study).content.decode()
    chat = begin(hold(join(study, 0), "Tuned"))
    assert b"Nobody has said anything." in browser.get(reverse("study_chat", args=[study.pk, chat.pk])).content


@pytest.mark.django_db
def test_chats_that_are_not_of_this_study_are_not_found(browser: Client) -> None:
    study, other = chatted_study(), rated_study(backgrounds=1)
    chat = Chat.objects.earliest("pk")
    practising = begin(practise(join(chat_study(name="Third", plan=ChatPlan(practice=True)), 0)))
    for of, number in ((other.pk, chat.pk), (study.pk, practising.pk), (study.pk, 10**12)):
        assert browser.get(reverse("study_chat", args=[of, number])).status_code == 404
    assert browser.get(reverse("study_chats", args=[other.pk])).status_code == 404


@pytest.mark.django_db
def test_testers_read_neither_their_own_chat_there_nor_anybody_elses() -> None:
    study = chatted_study()
    tester = Membership.objects.select_related("rater").earliest("pk")
    own = Chat.objects.filter(person=tester.rater).earliest("pk")
    for client in (client_of(tester), logged_in(Role.RATER)):
        for address in (reverse("study_chats", args=[study.pk]), reverse("study_chat", args=[study.pk, own.pk])):
            assert client.get(address).status_code == 403


@pytest.mark.django_db
def test_the_raters_page_tells_how_a_testers_chats_are(browser: Client) -> None:
    study = chat_study(backgrounds=3)
    ann, ben = join(study, 0), join(study, 1)
    chatted(ann, "Tuned", 0)
    chatted(ann, "Tuned", 1, events=exchange(0, ["a b c d"], ["e"]))
    long = " ".join(["word"] * 900)
    end(play(begin(hold(ann, "Tuned", 2)), exchange(0, ["hi"], [long])), 20)
    first, second = rater_rows(study)
    assert first.chats == ChatQuality(
        chats=3, turns=1, minutes=pytest.approx(3.6 / 60), words=pytest.approx(12 / 5), fast=pytest.approx(1 / 3)
    )
    assert (first.quality.fast, second.quality.fast, second.chats) == (pytest.approx(1 / 3), None, None)
    assert second.membership == ben
    html = browser.get(reverse("study_raters", args=[study.pk]), {"sort": "-chats"}).content.decode()
    assert "Turns a chat" in html
    assert "33 %" in html
    assert "3 ended" in browser.get(reverse("study_rater", args=[study.pk, ann.pk])).content.decode()
    plain = rated_study(backgrounds=1)
    assert "Turns a chat" not in browser.get(reverse("study_raters", args=[plain.pk])).content.decode()


@pytest.mark.django_db
def test_the_page_asks_few_queries_whatever_the_number_of_chats(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    study = chat_study(backgrounds=20)
    ann = join(study, 0)
    for background in range(20):
        chatted(ann, "Tuned", background)
    with django_assert_max_num_queries(20):
        assert page_of(browser, study).content.decode().count("<tr") == 21


@pytest.mark.django_db
def test_demo_systems_and_simulated_testers_are_marked_once_systems_may_be_told_apart(browser: Client) -> None:
    study = chatted_study(unblinded=False)
    Endpoint.objects.filter(chat_systems__version="chat-plain").update(is_demo=True)
    Profile.objects.update(is_simulated=True)
    blind = page_of(browser, study).content.decode()
    unblinding.unblind(study=study, by=None, how="on purpose")
    html = page_of(browser, study).content.decode()
    assert (blind.count("demo rules"), html.count("demo rules")) == (0, 2)
    assert html.count("simulated ratings") == blind.count("simulated ratings") == 4


@pytest.mark.django_db
def test_an_item_that_raters_disagree_on_leads_to_their_chats_and_never_shows_the_placeholder(browser: Client) -> None:
    study = chat_study(k=2, backgrounds=1)
    chats = [chatted(join(study, n), "Tuned", values=values) for n, values in enumerate(((1, 1, 1, 1), (5, 5, 5, 5)))]
    Score.objects.update(evidence=[0])
    item = study.items.get(dialogue__version="chat-tuned")
    html = browser.get(reverse("study_disputed_item", args=[study.pk, item.position + 1])).content.decode()
    assert all(reverse("study_chat", args=[study.pk, chat.pk]) in html for chat in chats)
    assert NO_CHAT not in html
    assert "Theme 0." in html
    assert browser.get(reverse("study_disagreement", args=[study.pk])).status_code == 200
