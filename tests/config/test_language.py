"""The language of a page is the one its reader chose."""

import pytest
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import floatformat
from django.test import Client
from django.utils import translation

from annotation.people import invitations
from annotation.roles import Role
from config.outage import server_error
from tests.annotation.restructured import asked

RTL = {"ar"}


def in_language(code: str) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = code
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("code", dict(settings.LANGUAGES))
def test_a_page_says_which_language_it_is_in_and_from_which_side_it_is_read(code: str) -> None:
    answer = in_language(code).get("/login/")
    assert answer.headers["Content-Language"] == code
    assert f'<html lang="{code}" dir="{"rtl" if code in RTL else "ltr"}">' in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("asked_for", ["xx", "ar-XX-nonsense", "../ar", ""])
def test_a_language_that_is_not_there_is_english(asked_for: str) -> None:
    assert in_language(asked_for).get("/login/").headers["Content-Language"] == "en"


@pytest.mark.django_db
def test_what_the_browser_prefers_changes_nothing() -> None:
    assert Client().get("/login/", headers={"accept-language": "ar"}).headers["Content-Language"] == "en"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("following", "goes_to"),
    [("/login/?next=/x/", "/login/?next=/x/"), ("https://elsewhere.example/", "/"), ("//elsewhere.example/", "/"),
     ("javascript:alert(1)", "/")],
)  # fmt: skip
def test_choosing_a_language_leads_back_and_never_elsewhere(following: str, goes_to: str) -> None:
    answer = Client().post("/language/", {"language": "ar", "next": following})
    assert answer.status_code == 302
    assert answer.headers["Location"] == goes_to
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ar"


@pytest.mark.django_db
def test_the_address_one_came_from_is_followed_only_within_the_house() -> None:
    answer = Client().post("/language/", {"language": "ar"}, headers={"referer": "https://elsewhere.example/x/"})
    assert answer.headers["Location"] == "/"


@pytest.mark.django_db
def test_a_language_that_is_not_offered_is_not_remembered() -> None:
    answer = Client().post("/language/", {"language": "xx", "next": "/login/"})
    assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies


@pytest.mark.django_db
def test_pages_in_english_bring_no_words_for_their_scripts() -> None:
    draft = asked()
    address = draft.get_absolute_url()
    for code, brings in (("en", False), ("ar", True)):
        client = in_language(code)
        client.force_login(draft.annotator)
        page = client.get(address).content.decode()
        assert ('id="page-words"' in page, 'id="frame-words"' in page) == (brings, brings)


@pytest.mark.django_db
def test_refusals_and_messages_are_told_in_the_readers_language() -> None:
    draft = asked()
    client = in_language("ar")
    client.force_login(draft.annotator)
    assert "لا يشمل دورك رؤية الدراسات" in client.get("/studies/").content.decode()
    answer = client.post(
        f"{draft.get_absolute_url()}operations/",
        {
            "version": 0,
            "operations": [{"id": "5b1a4c8e-0000-4000-8000-000000000000", "age": 0, "body": {"op": "undo"}}],
        },
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert answer.json() == {"detail": "لا يوجد ما يُتراجع عنه."}
    token = invitations.issue(role=Role.ADMIN, by=None)[0]
    assert "بصفة مدير" in in_language("ar").get(f"/invitation/{token}/").content.decode()


def test_the_page_for_what_broke_knows_its_language_without_the_usual_context(rf) -> None:  # type: ignore[no-untyped-def]
    with translation.override("ar"):
        page = server_error(rf.get("/")).content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert "حدث عطل من جهتنا" in page


@pytest.mark.parametrize("code", dict(settings.LANGUAGES))
def test_numbers_are_written_in_one_way_in_every_language(code: str) -> None:
    with translation.override(code):
        assert intcomma(1234567) == "1,234,567"
        assert floatformat(2.345, 2) in ("2.35", "2.34")
