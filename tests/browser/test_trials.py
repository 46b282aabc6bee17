"""A researcher tries a draft set and a wording, by keyboard, and reads what came of it."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from demo.model.faults import DemoSettings
from dialogues.models import Corpus
from generation.models import ExampleKind, Prompt, Run, Stage, Trial
from tests.browser.watching import Watch, assert_accessible, assert_usable, sign_in
from tests.demo_server import running
from tests.generation.runs import endpoint_at, small_corpus, work_apart
from tests.generation.trials import asked, draft_set, gammas
from tests.people import make_user

NASTY = '<b>&" A draft with quite a long name \N{PARROT}'


def photograph(page: Page, name: str) -> None:
    if os.environ.get("SHOTS"):
        Path(os.environ["SHOTS"]).mkdir(exist_ok=True)
        page.screenshot(path=f"{os.environ['SHOTS']}/{name}.png")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_a_draft_is_tried_from_its_own_page(page: Page, width: int, scheme: str) -> None:
    with running(DemoSettings(seed=7)) as model:
        draft = draft_set(name=NASTY)
        gammas(small_corpus(7, "Harbour <b>&"))
        endpoint_at(model.base_url, is_demo=True)
        sign_in(page, make_user(Role.RESEARCHER))
        page.goto(draft.get_absolute_url())
        page.get_by_role("link", name="Try it").click()
        expect(page.get_by_role("checkbox", name=re.compile("gamma"), checked=True)).to_have_count(5)
        page.get_by_role("checkbox", name=re.compile("d1.gamma")).press("Space")
        expect(page.get_by_role("checkbox", name=re.compile("gamma"), checked=True)).to_have_count(4)
        photograph(page, f"form-{width}-{scheme}")
        assert_usable(page)
        page.get_by_role("button", name="Preview").press("Enter")
        expect(page.get_by_text("8 calls")).to_be_visible()
        photograph(page, f"draft-{width}-{scheme}")
        assert_usable(page)
        page.get_by_role("button", name="Start trial").press("Enter")
        expect(page.get_by_text("0 of 8 answers")).to_be_visible()
        photograph(page, f"begun-{width}-{scheme}")
        worker = work_apart(Run.objects.get())
        expect(page.get_by_text("8 of 8 answers")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
        worker.join()
        photograph(page, f"done-{width}-{scheme}")
        assert_usable(page)
        page.get_by_role("link", name=re.compile("Its call")).first.press("Enter")
        expect(page.get_by_role("link", name=re.compile("as tried"))).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_wording_is_changed_tried_and_kept(page: Page, watch: Watch, width: int, scheme: str) -> None:
    watch.expect("status of 422")
    with running(DemoSettings(seed=7)) as model:
        draft_set(ExampleKind.SINGLE_STEP)
        gammas(small_corpus(2))
        endpoint_at(model.base_url, is_demo=True)
        sign_in(page, make_user(Role.RESEARCHER))
        page.goto("/generation/prompts/")
        photograph(page, f"prompts-{width}-{scheme}")
        assert_usable(page)
        page.get_by_role("link", name=re.compile("Further-split")).press("Enter")
        photograph(page, f"prompt-{width}-{scheme}")
        assert_usable(page)
        page.get_by_role("link", name="Edit as version 2").press("Enter")
        page.get_by_label("User message").fill("No placeholder")
        page.get_by_role("button", name="Save as version 2").press("Enter")
        expect(page.get_by_text("the prompt lacks")).to_be_visible()
        assert_accessible(page)
        page.get_by_label("User message").fill("{pairs}\n{dialogue}\nAnswer as before, but shorter.")
        photograph(page, f"edit-{width}-{scheme}")
        page.get_by_role("button", name="Try it first").press("Enter")
        expect(page.get_by_label("User message")).to_have_value(re.compile("but shorter"))
        assert_accessible(page)
        page.get_by_role("button", name="Preview").press("Enter")
        page.get_by_role("button", name="Start trial").press("Enter")
        worker = work_apart(Run.objects.get())
        expect(page.get_by_text(re.compile("of 4 answers"))).to_be_visible()
        page.get_by_role("button", name="Keep this wording as version 2").press("Enter")
        expect(page.get_by_text("Kept as Further-split (Stephanie) v2")).to_be_visible()
        worker.join()
    assert Prompt.objects.kept().filter(stage=Stage.FURTHER_SPLIT).count() == 2


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_pair_on_one_theme_a_stop_and_the_list(page: Page, width: int, scheme: str) -> None:
    with running(DemoSettings(seed=7)) as model:
        draft = draft_set(ExampleKind.STEP_BY_STEP, NASTY)
        corpus = small_corpus(3)
        endpoint = endpoint_at(model.base_url, is_demo=True, price_in=1, price_out=4)
        trial = asked(endpoint, list(corpus.dialogues.all()), stage=Stage.PAIR, example_set=draft)
        assert trial.own_run is not None
        work_apart(trial.own_run).join()
        begun = asked(endpoint, list(corpus.dialogues.all()), stage=Stage.PAIR, example_set=draft, seed=3)
        sign_in(page, make_user(Role.RESEARCHER))
        page.goto(trial.get_absolute_url())
        page.get_by_text("of the same calls").first.click()
        photograph(page, f"pair-{width}-{scheme}")
        assert_usable(page)
        page.goto(begun.get_absolute_url())
        page.get_by_role("button", name="Stop").press("Enter")
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        photograph(page, f"stopped-{width}-{scheme}")
        assert_accessible(page)
        page.goto("/generation/trials/")
        photograph(page, f"trials-{width}-{scheme}")
        assert_usable(page)
    assert Trial.objects.count() == 2
    assert Corpus.objects.listed().count() == 1
