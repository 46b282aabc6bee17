"""A researcher makes a training run, watches its trainer report, serves and registers the model."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from generation.models import Endpoint, TrainingRun
from tests.browser.watching import Watch, assert_usable, sign_in
from tests.generation.training_runs import dialogue_set, story, tell, training_run
from tests.people import make_user

NASTY = '<b>&" A training run with quite a long name \N{PARROT}'


def photograph(page: Page, name: str) -> None:
    if os.environ.get("SHOTS"):
        Path(os.environ["SHOTS"]).mkdir(exist_ok=True)
        page.screenshot(path=f"{os.environ['SHOTS']}/{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_a_run_is_made_watched_and_registered(page: Page, width: int, scheme: str) -> None:
    dialogue_set("Harbour <b>&", is_demo=True)
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/generation/training/runs/")
    page.get_by_role("link", name="New training run").press("Enter")
    page.get_by_label("Training set").select_option(index=1)
    page.get_by_label("Base model").fill("meta-llama/Meta-Llama-3-8B-Instruct")
    page.get_by_role("textbox", name="Name").fill(NASTY)
    assert_usable(page)
    page.get_by_role("button", name="Show the commands").press("Enter")
    reporting = page.get_by_role("textbox", name="There: train, and report to this page.")
    expect(reporting).to_have_value(re.compile("--report http"))
    photograph(page, f"waiting-{width}-{scheme}")
    assert_usable(page)
    run = TrainingRun.objects.get()
    tell(run, story()[:7])
    page.reload()
    expect(page.get_by_text("Step 3 of 4, loss 1.167")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Line chart"))).to_be_visible()
    photograph(page, f"running-{width}-{scheme}")
    assert_usable(page)
    # The page follows by itself, and loads anew when the trainer has finished.
    tell(run, story()[:10])
    expect(page.get_by_text("Step 4 of 4, loss 0.875")).to_be_visible()
    tell(run, story())
    expect(page.get_by_role("heading", name="Serve it")).to_be_visible()
    expect(page.get_by_role("table", name=re.compile("The tuned model beside its base"))).to_be_visible()
    photograph(page, f"finished-{width}-{scheme}")
    assert_usable(page)
    page.get_by_label("Address").fill("http://gpu.example.org:8000/v1")
    page.get_by_role("button", name="Register as an endpoint").press("Enter")
    expect(page.get_by_role("heading", name="What it was trained on")).to_be_visible()
    photograph(page, f"endpoint-{width}-{scheme}")
    assert_usable(page)
    assert Endpoint.objects.get().delimiter == "<|msg|>"
    assert_usable(page, "/generation/training/runs/")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_log_that_is_none_is_refused_and_a_good_one_taken(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.expect("status of 422")
    run = training_run(name=NASTY)
    log = tmp_path / "events.jsonl"
    log.write_text("nothing\n")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(run.get_absolute_url())
    page.get_by_label("The trainer’s log").set_input_files(log)
    page.get_by_role("button", name="Upload the log").press("Enter")
    expect(page.get_by_text("This is no log of a trainer: line 1")).to_be_visible()
    assert_usable(page)
    # A trainer that failed, and a long word in its reason.
    log.write_text(
        '{"number": 1, "at": "2026-11-30T02:00:00Z", "kind": "failed", "why": "No room at /' + "x" * 200 + '."}\n'
    )
    page.get_by_label("The trainer’s log").set_input_files(log)
    page.get_by_role("button", name="Upload the log").press("Enter")
    expect(page.get_by_text("No room at")).to_be_visible()
    assert_usable(page)
