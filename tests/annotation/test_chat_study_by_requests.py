"""A whole study of chats without a browser: by commands with the simulator, and by a tester's requests alone."""

import json
import re
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotation.chats import driving
from annotation.chats.plan import ChatPlan
from annotation.design import files
from annotation.models import Study
from tests.annotation.chat_designs import chat_draft, chat_study, endpoint, system
from tests.annotation.setting import member
from tests.annotation.streaming_model import StreamingModel
from tests.demo_server import DemoServer
from tests.people import client_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = ChatPlan(pace="none", silence=0.0, least_turns=2, practice=False).as_json()


@pytest.fixture(autouse=True)
def at_rest() -> Iterator[None]:
    yield
    # What still answers would write into tables that are being emptied.
    until(lambda: not driving.drivers().at_work, "nobody answers a chat any more", 60)


def test_commands_lead_from_a_design_file_to_table_6(
    demo_model: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    systems = [
        system(name, endpoint=endpoint(f"At {name}", base_url=demo_model.base_url, model="demo-rules", is_demo=True))
        for name in ("One", "Other")
    ]
    design = tmp_path / "design.json"
    design.write_text(files.exported(chat_draft(1, systems=systems, chat_plan=PLAN)))
    call_command("study", "create", "--design", str(design), "--name", "By command", "--simulated")
    call_command("demo", "simulate-ratings", "By command", "--raters=2")
    capsys.readouterr()
    call_command("study", "report", "By command", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["simulated"] is True
    assert (told["ratings"], told["rated_items"]) == (6, 6)
    assert {slug: row["scored"] for slug, row in told["chats"]["systems"].items()} == {"chat-one": 3, "chat-other": 3}
    call_command("study", "report", "By command")
    printed = capsys.readouterr().out
    assert "the paper’s Table 6" in printed
    assert "simulated" in printed


def test_a_tester_chats_scores_and_is_done_by_requests_alone(model: StreamingModel) -> None:
    systems = [system(name, endpoint=endpoint(f"At {name}", base_url=model.base_url)) for name in ("One", "Other")]
    study = chat_study(1, systems=systems, chat_plan=PLAN, minutes_estimate=None, pay_note="")
    tester = member(study, "ann")
    browser = client_of(tester)
    address = reverse("rate_next", args=[tester.token])
    for _ in range(study.items.count()):
        address = chat_and_score(browser, address, study)
    assert "All 6 rated" in browser.get(address, follow=True).content.decode()


def chat_and_score(browser: Client, address: str, study: Study) -> str:
    """Follow the address to a chat, have it, score it; gives the address to go on at."""
    opened = browser.get(address, follow=True)
    here = opened.redirect_chain[-1][0]
    (chat,) = re.findall(r'data-chat="([\w-]+)"', opened.content.decode())
    for turn in range(2):
        message = {"text": f"Turn {turn}.", "id": str(uuid.uuid4())}
        sent = browser.post(reverse("chat_send", args=[chat]), message, content_type="application/json")
        assert sent.status_code == 200
        until(partial(is_answered, browser, here, turn + 1), "the system answers")
    finished = browser.post(f"{here}finish/", follow=True)
    (submission,) = re.findall(r'name="submission_id" value="([\w-]+)"', finished.content.decode())
    scores = {metric.key: 4 for metric in study.rubric.metric_list()}
    submit = f"{finished.redirect_chain[-1][0]}submit/"
    done = browser.post(submit, {"scores": scores, "submission_id": submission}, content_type="application/json")
    assert done.status_code == 200
    following: str = done.json()["next"]
    return following


def is_answered(browser: Client, page: str, turns: int) -> bool:
    return browser.get(page).content.decode().count("turn--2") >= turns
