"""Planning an analysis as people do it: on any screen, by keyboard alone, from power to the frozen plan."""

import pytest
from playwright.sync_api import Page, expect

from annotation.design import launch
from annotation.design.plan import AnalysisPlan
from annotation.design.plan_record import plan_of
from annotation.models import Study
from tests.annotation.rated_study import rated_study
from tests.annotation.setting import corpus, draft, user
from tests.browser.watching import assert_usable, sign_in

PLAN = AnalysisPlan(
    question="Is " + "ein-sehr-langes-Wort-" * 6 + " <b>better</b>?",
    metrics=("natural", "engaging"),
    contrasts=(("gamma", "stephanie"),),
    raters=3,
    backgrounds=2,
    margin=0.3,
    not_worse=(("alpha", "stephanie"),),
)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_a_plan_fit_and_are_accessible(page: Page) -> None:
    chats = corpus(2)
    one = draft(3, of=chats, analysis_plan=PLAN.as_json())
    launched = launch.launch(study=draft(3, of=chats, analysis_plan=PLAN.as_json()), by=None)
    pilot = rated_study(backgrounds=8)
    sign_in(page, user("rey", "researcher"))
    assert_usable(page, f"/studies/{one.pk}/design/analysis/", f"/studies/{one.pk}/", f"/studies/{launched.pk}/design/")
    assert_usable(page, "/studies/power/", f"/studies/power/?study={one.pk}&of={pilot.pk}")


def test_a_plan_is_written_by_keyboard_alone_and_gets_its_power(page: Page) -> None:
    one = draft(3, of=corpus(24))
    sign_in(page, user("rey", "researcher"))
    page.goto(f"/studies/{one.pk}/design/analysis/")
    for label in ("Natural", "Stephanie minus γ"):
        page.get_by_label(label, exact=True).focus()
        page.keyboard.press("Space")
    page.get_by_label("Backgrounds").focus()
    page.keyboard.type("24")
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved: analysis plan.")).to_be_visible()
    page.get_by_role("link", name="How many raters and backgrounds?").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Write it into the plan")).to_be_visible()
    expect(page.get_by_label("Size").locator("option:checked")).to_contain_text("3 raters, 24 backgrounds")
    page.get_by_role("button", name="Plan this size").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 raters and 24 backgrounds find a difference of 0.3 points")).to_be_visible()
    plan = plan_of(Study.objects.get())
    assert plan is not None
    assert (plan.metrics, plan.contrasts) == (("natural",), (("gamma", "stephanie"),))
    assert plan.power is not None
