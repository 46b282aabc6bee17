"""A researcher watches a batch that is away, pauses the run and cancels it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from annotation.roles import Role
from demo.model.faults import BatchSettings, DemoSettings
from generation.batching import rounds
from generation.models import BatchJob, Run
from tests.browser.watching import assert_usable, sign_in
from tests.demo_server import DemoServer, running
from tests.generation.runs import endpoint_at, small_corpus, started
from tests.people import make_user


@pytest.fixture
def patient_model() -> Iterator[DemoServer]:
    with running(DemoSettings(seed=7, batches=BatchSettings(seconds=3600.0))) as server:
        yield server


def run_with_a_batch_away(server: DemoServer) -> Run:
    run = started(small_corpus(5), endpoint_at(server.base_url, supports_batch=True), use_batch=True)
    with ThreadPoolExecutor(1) as apart:  # the browser's event loop has this thread
        apart.submit(advance_once).result()
    return run


def advance_once() -> None:
    try:
        rounds.advance()
    finally:
        connections.close_all()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_batch_is_watched_and_cancelled(page: Page, patient_model: DemoServer) -> None:
    run = run_with_a_batch_away(patient_model)
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(run.get_absolute_url())
    expect(page.locator(".run-sentence")).to_have_text("0 of 5 dialogues, 5 calls in 1 batch")
    expect(page.get_by_text("At the provider (in progress)")).to_be_visible()
    # What the provider says next shows by itself.
    BatchJob.objects.update(answered=2)
    expect(page.locator("[data-batch-answered]")).to_have_text("2")
    assert_usable(page)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Cancel the batch of").click()
    expect(page.get_by_text("The provider was asked to end the batch.")).to_be_visible()
    assert_usable(page)
