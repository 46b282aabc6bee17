"""A researcher adds an endpoint, checks it, plans a run, starts it and watches it end, without a reload by hand."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from demo.model.faults import DemoSettings
from generation import example_sets
from generation.models import Call, Run
from tests.browser.watching import assert_fits, assert_usable, sign_in
from tests.demo_server import DemoServer, running
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started, work_apart
from tests.people import make_user


@pytest.fixture
def slow_model() -> Iterator[DemoServer]:
    with running(DemoSettings(seed=7, latency=0.2)) as server:
        yield server


@pytest.mark.parametrize("width", [1280, 390])
def test_from_an_endpoint_to_a_finished_run(page: Page, slow_model: DemoServer) -> None:
    example_sets.load_all()
    small_corpus(3)
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/generation/endpoints/")
    page.get_by_role("link", name="Add endpoint").click()
    page.get_by_label("Name", exact=True).fill("My model")
    page.get_by_label("Address").fill(slow_model.base_url)
    page.get_by_label("Model", exact=True).fill("demo-rules")
    page.get_by_role("button", name="Add endpoint").click()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Answered as demo-rules").first).to_be_visible()
    assert_fits(page)

    page.goto("/generation/runs/")
    page.get_by_role("link", name="Plan a run").click()
    page.get_by_label("Name", exact=True).fill("First try")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("9 calls")).to_be_visible()
    assert_usable(page)
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_text("0 of 3 dialogues")).to_be_visible()
    worker = work_apart(Run.objects.get())
    expect(page.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    expect(page.locator(".run-sentence")).to_have_text("3 of 3 dialogues")
    worker.join()
    assert_usable(page)

    for tab in ("Dialogues", "Quality", "Calls"):
        page.get_by_label("Pages of this run").get_by_role("link", name=tab).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("First try")
        assert_usable(page)
    page.get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_text("its hash matches")).to_be_visible()
    assert_usable(page)


def test_the_page_follows_without_a_reload_and_survives_a_lost_line(page: Page, slow_model: DemoServer) -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE))
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(run.get_absolute_url())
    page.evaluate("window.stayed = true")
    Call.objects.filter(pk=run.calls.earliest("pk").pk).update(state="failed", outcome="rejected")
    expect(page.get_by_role("link", name="Request rejected by the endpoint")).to_be_visible()
    expect(page.locator("[data-live=sentence]")).to_contain_text("1 failed")
    assert page.evaluate("window.stayed") is True
    Run.objects.update(state=Run.State.PAUSED, state_reason="Enough.")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_text("Enough.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_examples_fit_and_are_accessible(page: Page) -> None:
    example_sets.load_all()
    sign_in(page, make_user(Role.RESEARCHER))
    for path in ("/generation/examples/", "/generation/endpoints/new/", "/generation/runs/"):
        page.goto(path)
        assert_usable(page)
    page.goto("/generation/examples/")
    page.get_by_role("link", name="Version 1").last.click()
    page.wait_for_url(re.compile(r"/generation/examples/\d+/$"))
    assert_usable(page)
