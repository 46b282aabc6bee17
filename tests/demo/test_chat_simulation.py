"""Invented testers chat over HTTP with the demo model, and score; what they leave is marked and complete."""

from io import StringIO

import pytest
from django.core.management import call_command

from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Chat, Rating, SystemPreference
from annotation.reports.loading import findings_of
from demo.model.completions import UNTUNED
from demo.simulation import simulate
from dialogues.models import Dialogue
from generation.models import LiveCall
from tests.annotation.chat_designs import chat_study, endpoint, system
from tests.annotation.streaming_model import streaming_model
from tests.demo_server import DemoServer

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = ChatPlan(pace="none", silence=0.0, least_turns=2, practice=True, asks_preference=True).as_json()


def test_a_simulated_study_of_chats_fills_to_its_last_place_and_is_marked(demo_model: DemoServer) -> None:
    served = endpoint("Demo", base_url=demo_model.base_url, model="demo-rules", is_demo=True)
    untuned = endpoint("Untuned", base_url=demo_model.base_url, model=UNTUNED, is_demo=True)
    systems = [system("In steps", endpoint=served), system("In one piece", endpoint=untuned, mode="plain")]
    study = chat_study(2, systems=systems, chat_plan=PLAN, is_simulated=True)
    said = StringIO()
    call_command("simulate_ratings", study.name, "--raters=3", "--json", stdout=said)
    places = Assignment.objects.filter(study=study, slot__isnull=False)
    assert set(places.values_list("state", flat=True)) == {"submitted"}
    assert Rating.objects.counted().for_study(study).count() == places.count() == 12
    chats = Chat.objects.in_study(study)
    assert chats.count() == 12
    assert Dialogue.objects.filter(chat__in=chats, is_demo=True).count() == 12
    assert not LiveCall.objects.exclude(state="done").exists()
    found = findings_of(study)
    assert {version.symbol for version in found.versions} == {"In steps", "In one piece"}
    said_in_one = Dialogue.objects.filter(version="chat-in-one-piece", chat__in=chats).values_list(
        "messages", flat=True
    )
    assert not any("<|msg|>" in text for messages in said_in_one for _, text in messages)
    assert found.lengths["chat-in-steps"].acmc > found.lengths["chat-in-one-piece"].acmc
    assert simulate(study=study, raters=3) == 0
    assert SystemPreference.objects.count() == 3
    assert found.chats is not None
    assert found.chats.preference is not None
    assert found.chats.preference.answered == 3


def test_where_every_reply_is_refused_the_chats_end_and_are_scored_as_what_they_were() -> None:
    with streaming_model() as model:
        model.scenes = [[400] for _ in range(20)]
        served = endpoint("Refusing", base_url=model.base_url)
        systems = [system(name, endpoint=served) for name in ("One", "Two")]
        study = chat_study(1, systems=systems, chat_plan=PLAN, is_simulated=True)
        simulate(study=study, raters=1)
    assert Chat.objects.in_study(study).filter(dialogue=None, state="ended").count() == 6
    assert Rating.objects.counted().for_study(study).count() == 6
