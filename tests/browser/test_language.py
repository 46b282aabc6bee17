"""The pages in a language that is read from the right: choosing it, working in it, and what it looks like."""

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from annotation.models import Rating, Restructuring, Study
from annotation.people import invitations
from annotation.roles import Role
from tests.annotation.restructured import asked
from tests.annotation.setting import TWO, corpus, member, study
from tests.browser.watching import Watch, assert_usable, sign_in
from tests.people import PASSWORD, make_user

BOTH = [pytest.mark.parametrize("width", [1280, 390]), pytest.mark.parametrize("scheme", ["light", "dark"])]


def in_both(test: Callable[..., None]) -> Callable[..., None]:
    for mark in BOTH:
        test = mark(test)
    return test


def in_arabic(page: Page) -> None:
    cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": "ar", "domain": "127.0.0.1", "path": "/"}
    page.context.add_cookies([cookie])  # type: ignore[list-item]


def assert_usable_in_arabic(page: Page) -> None:
    assert page.evaluate("[document.documentElement.lang, document.dir]") == ["ar", "rtl"]
    assert_usable(page)


def test_a_rater_chooses_arabic_restructures_a_message_and_logs_out(page: Page) -> None:
    rater = make_user(Role.RATER, "rater")
    work = asked(rater)
    page.goto("/login/?next=/restructure/")
    page.get_by_role("button", name="العربية").click()
    expect(page.get_by_role("heading", name="تسجيل الدخول")).to_be_visible()
    page.locator("[name=username]").fill("rater")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="تسجيل الدخول").click()
    page.get_by_role("link", name="الحوار 1").click()
    page.locator("[data-restructuring][data-ready]").wait_for()
    first = page.locator("[data-pieces] textarea").first
    first.evaluate("(box) => { box.focus(); box.setSelectionRange(9, 9); }")
    page.keyboard.press("Enter")
    expect(page.locator("[data-spoken]")).to_have_text("قُسمت إلى الرسالتين 1 و2.")
    expect(first).to_have_attribute("aria-label", "الرسالة 1، A، من 1 في الأصل")
    expect(page.locator("[data-saved]")).to_have_text("تم الحفظ")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("[data-spoken]")).to_have_text("لا يوجد ما يُعاد تنفيذه.")
    page.get_by_role("button", name="اقترح").click()
    expect(page.locator("[data-spoken]")).to_contain_text("لها اقتراح")
    page.get_by_role("button", name="تسليم").click()
    expect(page.get_by_text("تم التسليم.")).to_be_visible()
    work.refresh_from_db()
    assert work.state == Restructuring.State.SUBMITTED
    assert work.messages[:2] == [[1, "hi there,"], [1, "how are you today?"]]
    page.get_by_role("button", name="rater").click()
    page.get_by_role("button", name="تسجيل الخروج").click()
    # The language is the browser's, not the account's: it stays.
    expect(page.get_by_role("heading", name="تسجيل الدخول")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_dialogue_is_rated_in_arabic_by_keyboard_and_the_arrows_follow_the_page(page: Page) -> None:
    rater = member(study(of=corpus(2, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    in_arabic(page)
    page.goto(f"/rate/{rater.token}/")
    page.locator("[data-rating][data-ready]").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_contain_text("اختر درجة")
    before = page.url
    for digit in "123454":
        page.keyboard.press(digit)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)
    page.locator("[data-rating][data-ready]").wait_for()
    assert Rating.objects.counted().count() == 1
    page.keyboard.press("ArrowRight")
    page.wait_for_url(before)
    expect(page.get_by_role("heading", name="حوار قيّمته")).to_be_visible()
    expect(page.locator("[data-previous] kbd")).to_have_count(0)
    expect(page.locator("[data-next] kbd")).to_have_text("←")


@in_both
def test_the_log_in_pages_in_arabic_fit_and_are_accessible(page: Page, watch: Watch) -> None:
    watch.expect("status of 4")
    in_arabic(page)
    page.goto("/login/?next=/account/password/")
    assert_usable_in_arabic(page)
    page.goto(f"/invitation/{invitations.issue(role=Role.RATER, by=None)[0]}/")
    page.locator("[name=username]").fill("a <b")
    page.locator("button.btn-primary").click()
    page.locator("[name=password1]").fill("12345")
    page.locator("[name=password2]").fill("1")
    page.locator("button.btn-primary").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_usable_in_arabic(page)
    sign_in(page, make_user(Role.RATER, 'Zoë <b>&" 🍞'))
    for path in ("/account/password/", "/method/", "/no/such/page/", "/restructure/", "/rate/"):
        page.goto(path)
        assert_usable_in_arabic(page)
    page.goto("/account/password/")
    page.locator("[popovertarget=user-menu]").click()
    expect(page.get_by_role("button", name="English")).to_be_visible()
    assert_usable_in_arabic(page)


@in_both
def test_a_studys_open_link_is_used_in_arabic(page: Page, watch: Watch) -> None:
    watch.expect("status of 404")
    one = study(of=corpus(1, TWO), versions=TWO)
    Study.objects.filter(pk=one.pk).update(door_token="a-door", public_name="Chats & <b>more</b> " + "long" * 20)
    in_arabic(page)
    page.goto("/door/no-door/")
    expect(page.get_by_role("heading", name="لا يُدخل هذا الرابط أحدًا في الوقت الحالي")).to_be_visible()
    assert_usable_in_arabic(page)
    page.goto("/door/a-door/")
    assert_usable_in_arabic(page)
    # A Latin name stands where the page's lines begin.
    assert page.locator("h1").evaluate("(one) => getComputedStyle(one).textAlign") == "right"
    page.get_by_role("button", name="انضم").press("Enter")
    expect(page.get_by_label("رابط عودتك")).to_be_visible()
    assert_usable_in_arabic(page)


@in_both
def test_the_editor_in_arabic_fits_is_accessible_and_speaker_1_stands_on_the_right(page: Page) -> None:
    work = asked("ann")
    sign_in(page, work.annotator)
    in_arabic(page)
    page.goto(work.get_absolute_url())
    page.locator("[data-restructuring][data-ready]").wait_for()
    assert_usable_in_arabic(page)
    for speaker, name in ((1, "piece"), (1, "turn"), (2, "piece"), (2, "turn")):
        line = page.locator(f".{name}--{speaker}").first.bounding_box()
        bubble = page.locator(f".{name}--{speaker} .bubble").first.bounding_box()
        assert line
        assert bubble
        free = {"left": bubble["x"] - line["x"], "right": line["x"] + line["width"] - bubble["x"] - bubble["width"]}
        assert free["right" if speaker == 1 else "left"] == pytest.approx(0, abs=0.5)
        assert free["left" if speaker == 1 else "right"] > 8
    # Where two messages of a turn meet, on the speaker's side, whatever direction the message itself has.
    second = page.locator(".turn--2 .bubble").nth(1)
    assert second.evaluate("(one) => getComputedStyle(one).direction") == "ltr"
    assert second.evaluate(
        "(one) => { const s = getComputedStyle(one); return [s.borderTopLeftRadius, s.borderTopRightRadius]; }"
    ) == ["4px", "14px"]


@in_both
def test_the_rating_pages_in_arabic_fit_and_are_accessible(page: Page) -> None:
    rater = member(study(of=corpus(2, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    in_arabic(page)
    for path in ("", "welcome/", "rated/", "withdraw/"):
        page.goto(f"/rate/{rater.token}/{path}")
        assert_usable_in_arabic(page)
    page.goto("/rate/")
    assert_usable_in_arabic(page)
