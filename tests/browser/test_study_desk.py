"""Running a study in a real browser: an open link and who joins by it, raters, disputed scores, unblinding."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import Membership, Study
from annotation.recruitment import open_links
from annotation.recruitment.open_links import Recruit
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.rated_study import pair_study, rated_study
from tests.annotation.setting import corpus, study, user
from tests.browser.watching import PageMaker, Watch, assert_usable, sign_in

AWKWARD = 'Chats & <b>more</b> "quoted" 🙂 ' + "long" * 20


@pytest.fixture(autouse=True)
def _nobody_knocked_before() -> None:
    cache.clear()


def test_an_open_link_is_made_and_somebody_comes_in_by_keyboard_and_back_on_another_device(new_page: PageMaker) -> None:
    one = study(of=corpus(1))
    rey, guest, phone = new_page(), new_page(), new_page()
    sign_in(rey, user("rey", "researcher"))
    rey.goto(one.get_absolute_url())
    rey.get_by_role("link", name="Open a link").click()
    rey.get_by_label("Places").fill("2")
    rey.get_by_role("button", name="Open the link").click()
    expect(rey.get_by_role("heading", name="The link is open")).to_be_visible()
    address = rey.get_by_label("Address", exact=True).input_value()

    guest.goto(address)
    guest.get_by_label("Your name").focus()
    guest.keyboard.type("Ann <i>")
    guest.keyboard.press("Enter")
    expect(guest.get_by_role("heading", name="You are in")).to_be_visible()
    link = guest.get_by_label("Your return link").input_value()
    guest.get_by_role("link", name="Start").press("Enter")
    expect(guest.get_by_role("button", name="Submit").first).to_be_visible()

    phone.goto(link)
    phone.get_by_role("button", name="Go on rating").click()
    expect(phone.get_by_role("button", name="Submit").first).to_be_visible()
    assert one.memberships.count() == 1
    rey.goto(f"/studies/{one.pk}/raters/")
    rey.get_by_role("link", name="guest-").click()
    expect(rey.get_by_text("Ann <i>")).to_be_visible()


def test_a_researcher_excludes_a_rater_settles_a_score_blind_and_then_unblinds(page: Page) -> None:
    one = rated_study(backgrounds=2)
    AuditEvent.objects.filter(verb=AuditVerb.STUDY_UNBLINDED).delete()
    sign_in(page, user("rey", "researcher"))
    page.goto(one.get_absolute_url())
    page.get_by_role("link", name="Disagreement").click()
    expect(page.get_by_text("Versions are hidden")).to_be_visible()
    page.get_by_role("link", name="Item ").first.click()
    page.get_by_text("Natural", exact=True).last.click()
    form = page.locator("details[open]")
    form.get_by_label("3", exact=True).check()
    form.get_by_label("Why").fill("Both are right in part.")
    form.get_by_role("button", name="Settle Natural").press("Enter")
    expect(page.get_by_text("Settled. The raw scores stay as they are.")).to_be_visible()

    page.goto(f"/studies/{one.pk}/raters/")
    page.get_by_role("link", name="All equal").press("Enter")
    expect(page.get_by_role("columnheader", name="All equal")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_label("Why").fill("Answered faster than anybody can read.")
    page.get_by_role("button", name="Exclude this rater").click()
    expect(page.get_by_text("The ratings are kept but not counted in any table.")).to_be_visible()

    page.goto(one.get_absolute_url())
    page.get_by_role("link", name="Read the report").click()
    page.get_by_role("button", name="Unblind the study and read the report").click()
    expect(page.get_by_role("table", name="Human evaluation")).to_be_visible()
    expect(page.get_by_text("Unblinded by rey")).to_be_visible()


def full_studies() -> list[Study]:
    """One with awkward names and an excluded rater, one of pairs, one without anybody."""
    one = rated_study(name=AWKWARD, backgrounds=14, comment="A <i>remark</i> & " + "more " * 60)
    third = one.memberships.order_by("pk").last()
    assert third is not None
    now = timezone.now()
    Membership.objects.filter(pk=third.pk).update(excluded_at=now, exclusion_reason="Too <b>fast</b> " + "x" * 200)
    Study.objects.filter(pk=one.pk).update(launched_at=now - timedelta(days=2), public_name=AWKWARD)
    return [one, pair_study(), study(of=corpus(1, name="Empty"))]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_the_desk_fit_and_are_accessible(page: Page, watch: Watch) -> None:
    sign_in(page, user("rey", "admin"))
    for one in full_studies():
        for path in (
            "",
            "raters/",
            "disagreement/",
            "balance/",
            "door/",
            "invite/list/",
            "remind/?days=0",
            "manage/close/",
            "report/",
        ):
            assert_usable_at(page, f"{one.get_absolute_url()}{path}")
        if one.memberships.exists():
            assert_usable_at(page, f"{one.get_absolute_url()}raters/{one.memberships.latest('pk').pk}/")
            assert_usable_at(page, f"{one.get_absolute_url()}items/1/")
        else:
            page.goto(f"{one.get_absolute_url()}door/")
            page.get_by_label("Prolific’s completion code").fill("C0DE")
            page.get_by_role("button", name="Open the link").click()
            assert_usable(page)
            page.goto(f"{one.get_absolute_url()}invite/list/")
            page.get_by_label("People").fill("ann@example.org,P-1\nbob@example.org,P-2\nann@example.org\n")
            page.get_by_role("button", name="Make invitations").click()
            expect(page.get_by_text("2 invitations made")).to_be_visible()
            assert_usable(page)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_the_open_link_fit_and_are_accessible(page: Page, watch: Watch) -> None:
    watch.expect("status of 4(04|22)")
    one = study(of=corpus(1), public_name=AWKWARD, pay_note="We pay & thank <b>you</b>.")
    rey = user("rey", "researcher")
    one = open_links.set_open_link(study=one, limit=None, completion_code="", screen_out_code="", by=rey)
    door = f"/door/{one.door_token}/"
    guest = open_links.enter(study=one, recruit=Recruit())
    for path in (door, f"/door/return/{open_links.return_token(guest)}/", "/door/no-such-door/"):
        assert_usable_at(page, path)
    page.goto(door)
    page.get_by_role("button", name="Join").click()
    assert_usable(page)
    page.context.clear_cookies(name="sessionid")
    assert_usable_at(page, door)
    open_links.set_open_link(study=one, limit=None, completion_code="C0DE", screen_out_code="", by=rey)
    assert_usable_at(page, f"{door}?PROLIFIC_PID={'a1' * 12}")
    assert_usable_at(page, door)


def assert_usable_at(page: Page, path: str) -> None:
    """Whatever the status: what is refused has a page, too."""
    page.goto(path)
    assert_usable(page)
