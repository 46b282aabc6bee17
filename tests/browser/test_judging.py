"""A researcher has dialogues judged, reads the tables, and looks up why."""

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from demo.model.faults import DemoSettings
from dialogues.models import Corpus
from generation import example_sets
from generation.models import Run
from tests.browser.watching import assert_accessible, assert_usable, sign_in
from tests.demo_server import running
from tests.generation.judged import ALL, family, judge, judge_run
from tests.generation.runs import endpoint_at, work_apart
from tests.people import make_user


def chats(backgrounds: int = 3) -> Corpus:
    corpus = Corpus.objects.create(name="Chats")
    for number in range(backgrounds):
        family(corpus, number, {"gpt-4": ALL[1:], "phi3-mini": ("beta", "stephanie")})
    return corpus


@pytest.mark.parametrize("width", [1280, 390])
def test_from_a_corpus_to_its_judgements(page: Page) -> None:
    with running(DemoSettings(seed=7)) as model:
        example_sets.load_all()
        corpus = chats()
        for name in ("Strict", "Mild"):
            endpoint_at(model.base_url, name=name, model=name.lower(), is_demo=True)
        sign_in(page, make_user(Role.RESEARCHER))
        page.goto(corpus.get_absolute_url())
        page.get_by_role("link", name="Judgements").click()
        expect(page.get_by_text("No judgement yet")).to_be_visible()
        assert_accessible(page)
        page.get_by_role("link", name="Judge this corpus").click()
        page.get_by_label("Strict").check()
        page.get_by_label("Mild").check()
        page.get_by_label("Repeats").fill("2")
        assert_usable(page)
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("72 calls")).to_be_visible()
        expect(page.get_by_text("You are a careful reader").first).to_be_visible()
        assert_usable(page)
        page.get_by_role("button", name="Start run").click()
        worker = work_apart(Run.objects.get())
        expect(page.locator(".run-sentence")).to_have_text("72 of 72 judgements", timeout=60_000)
        worker.join()
        page.reload()
        assert_usable(page)
        page.get_by_role("link", name="See the judgements").click()
        expect(page.get_by_text("Scores by mild")).to_be_visible()
        expect(page.get_by_text("18 dialogues, scored from 0 to 100 by 2 judges")).to_be_visible()
        expect(page.get_by_text("demo rules, not a language model").first).to_be_visible()
        assert_usable(page)
        page.get_by_role("link", name="Show scores behind dashes").click()
        expect(page.get_by_role("link", name="Print dashes as the paper does")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").first.click()
        assert download.value.suggested_filename == "chats-judged-scores-1.csv"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_judges_said_of_a_dialogue_fits_and_is_accessible(page: Page) -> None:
    corpus = chats(1)
    run = judge_run(corpus, "wise-model", "a-model-with-a-rather-long-name/and-a-revision-2026")
    for place, dialogue in enumerate(corpus.dialogues.all()):
        for branch in (0, 1):
            for sample in (0, 1):
                judge(run, dialogue, 60 + place + 3 * sample, branch=branch, sample=sample)
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(corpus.dialogues.of_version("beta").first().get_absolute_url())  # type: ignore[union-attr]
    page.get_by_text("Why", exact=True).first.click()
    expect(page.get_by_text("Because of 3.").first).to_be_visible()
    assert_usable(page)
    page.locator(".reasons a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Judge of")
    assert_usable(page)
    page.goto(f"/generation/judgements/{corpus.pk}/")
    assert_usable(page)
