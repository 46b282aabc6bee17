"""The pages around a run in a real browser: on a desk and on a phone, light and dark, by keyboard, on a bad line."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.roles import Role
from dialogues.baseline import split_all
from generation import example_sets
from generation.models import Call, Run, Runner
from tests.browser.watching import Watch, assert_fits, assert_usable, sign_in
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus, started
from tests.generation.written_runs import written_run
from tests.people import make_user

ODD = 'One <b>&"name"</b> 🎈 ' + "long" * 12


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_fits_and_can_be_used_by_all(page: Page) -> None:
    endpoints = (endpoint_at(NOWHERE, name=ODD, model="model-a" * 6), endpoint_at(NOWHERE, name="Two", price_in=1))
    run = written_run(small_corpus(3, ODD), *endpoints, name=ODD)
    split_all(run.corpus)
    failed, held = run.calls.filter(stage="further_split").order_by("pk")[:2]
    Call.objects.filter(pk=failed.pk).update(state="failed", outcome="lost_content", raw_reply="<i>" + "x" * 900)
    Call.objects.filter(pk=held.pk).update(state="ambiguous", outcome="ambiguous")
    Run.objects.filter(pk=run.pk).update(state="paused", pause_cause="decision", state_reason="1 call was sent.")
    plan = draft(run.corpus, endpoints[1])
    alpha = run.corpus.dialogues.originals().earliest("pk")
    sign_in(page, make_user(Role.RESEARCHER))
    own = run.get_absolute_url()
    for path in (
        *(own, f"{own}dialogues/", f"{own}dialogues/{alpha.pk}/", f"{own}calls/", f"{own}quality/"),
        *(f"{own}retry/edit/", "/generation/compare/", f"/generation/compare/?runs={run.pk}"),
        *(f"/generation/compare/dialogues/?runs={run.pk}", "/generation/runs/new/", plan.get_absolute_url()),
        *(failed.get_absolute_url(), run.corpus.get_absolute_url()),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_fits(page)
        for summary in page.locator("main summary").all():
            if summary.is_visible():
                summary.click()
        assert_usable(page)


def test_a_lost_line_is_said_and_mends_itself(page: Page, watch: Watch) -> None:
    watch.expect("net::ERR_FAILED")
    run = started(small_corpus(2), endpoint_at(NOWHERE))
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(run.get_absolute_url())
    expect(page.locator("[data-live=waiting]")).to_have_text("2")
    page.route("**/events/", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("Connection lost; trying again…")).to_be_visible()
    Call.objects.filter(run=run, alpha=run.chosen.earliest("pk").dialogue).update(state="failed", outcome="rejected")
    page.unroute("**/events/")
    expect(page.get_by_text("Connection lost")).to_be_hidden()
    expect(page.locator("[data-live=sentence]")).to_contain_text("1 failed")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_running_run_tells_calls_on_the_wire_from_answers_waiting_to_be_stored(page: Page) -> None:
    one = endpoint_at(NOWHERE, name="One", max_in_flight=16)
    run = written_run(small_corpus(20), one)
    sent = list(run.calls.filter(stage="further_split").values_list("pk", flat=True))
    Call.objects.filter(pk__in=sent).update(state="sent", outcome="", owner="me", lease_until=timezone.now())
    Run.objects.update(state="running")
    Runner.beat("me", timezone.now())
    Runner.report("me", {str(one.pk): {str(run.pk): [16, 4]}})
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(run.get_absolute_url())
    expect(page.locator("[data-live=to_store]")).to_have_text("4")
    expect(page.get_by_text("16 of 16 at once, 4 answers waiting to be stored")).to_be_visible()
    assert_fits(page)
    # The live script goes on with the same figures as the page began with.
    Runner.report("me", {str(one.pk): {str(run.pk): [13, 7]}})
    expect(page.locator("[data-live=to_store]")).to_have_text("7")


def test_a_run_is_planned_with_the_keyboard_alone(page: Page) -> None:
    example_sets.load_all()
    small_corpus(2)
    endpoint_at(NOWHERE, name="One")
    endpoint_at(NOWHERE, name="Two")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/generation/runs/new/")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("By keys")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.labels?.[0]?.innerText ?? ''").strip().startswith("Two"):
            break
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("What it will do")).to_be_visible()
    assert [row.endpoint.name for row in Run.objects.with_stages().get().rows_of("pair")] == ["One", "Two"]
    page.get_by_label("For the dialogue").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("d1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("hello there ! 1").first).to_be_visible()


def test_failed_calls_are_tried_again_with_an_edited_prompt(page: Page) -> None:
    run = written_run(small_corpus(1), endpoint_at(NOWHERE))
    Call.objects.filter(run=run, stage="pair").update(state="failed", outcome="unparsable", raw_reply="no json")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(run.get_absolute_url())
    page.get_by_role("link", name="Edit the prompt or examples first").click()
    box = page.get_by_label("User message")
    box.fill(box.input_value() + "\nJSON only.")
    page.get_by_role("button", name="Try 1 again").click()
    expect(page.get_by_text("1 call will be sent again with what you changed.")).to_be_visible()
    anew = run.calls.get(state="todo")
    assert anew.run_stage.prompt.user.endswith("\nJSON only.")
    assert "\r" not in anew.run_stage.prompt.user
