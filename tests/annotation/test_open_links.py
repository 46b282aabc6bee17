"""A study's open link, for everybody and for participants from Prolific."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from annotation.models import Membership, Study
from annotation.monitoring import states
from annotation.recruitment import open_link_views, open_links
from annotation.recruitment.open_links import OpenLinkError, ParameterError, Recruit
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.setting import corpus, draft, study, user
from tests.people import logged_in

pytestmark = pytest.mark.django_db
PID = "5f3e1a2b4c5d6e7f8a9b0c1d"
QUERY = {"PROLIFIC_PID": PID, "STUDY_ID": "s" * 24, "SESSION_ID": "t" * 24}


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    cache.clear()


def with_open_link(limit: int | None = None, code: str = "", **fields: object) -> Study:
    one = study(of=corpus(1), **fields)
    by = user("opener", "researcher")
    return open_links.set_open_link(study=one, limit=limit, completion_code=code, screen_out_code="", by=by)


def address(one: Study, **query: str) -> str:
    return reverse("door", args=[one.door_token]) + (f"?{urlencode(query)}" if query else "")


def test_opening_the_address_changes_nothing_and_its_form_lets_somebody_in() -> None:
    one, client = with_open_link(), Client()
    assert client.get(address(one)).status_code == 200
    assert not one.memberships.exists()
    page = client.post(address(one), {"name": "  Ann <b> "}, follow=True)
    rater = one.memberships.get().rater
    assert (rater.first_name, role_of(rater), rater.has_usable_password()) == ("Ann <b>", Role.RATER, False)
    assert rater.profile.pseudonym.startswith("rater-")
    assert "Your return link" in page.content.decode()
    assert client.get(reverse("rate_next", args=[one.memberships.get().token])).status_code == 302


def test_nobody_comes_in_twice_with_one_browser_not_even_logged_out() -> None:
    one, client = with_open_link(), Client()
    client.post(address(one))
    client.post(address(one))
    client.post(reverse("logout"))
    assert "joined with this browser already" in client.get(address(one)).content.decode()
    client.post(address(one))
    assert one.memberships.count() == 1


def test_a_return_link_opens_its_own_account_on_another_device_and_only_by_its_form() -> None:
    one, client = with_open_link(), Client()
    client.post(address(one))
    membership = one.memberships.get()
    elsewhere, link = Client(), reverse("door_return", args=[open_links.return_token(membership)])
    assert "Welcome back" in elsewhere.get(link).content.decode()
    assert "_auth_user_id" not in elsewhere.session
    elsewhere.post(link)
    assert elsewhere.session["_auth_user_id"] == str(membership.rater_id)


@pytest.mark.parametrize("spoil", ["password", "role", "inactive", "token", "withdrawn"])
def test_a_return_link_opens_nothing_once_the_account_is_more_than_a_guests(spoil: str) -> None:
    one = with_open_link()
    membership = open_links.enter(study=one, recruit=Recruit())
    token, rater = open_links.return_token(membership), membership.rater
    if spoil == "password":
        rater.set_password("a long walk by the sea")
    if spoil == "role":
        rater.is_superuser = True
    if spoil == "inactive":
        rater.is_active = False
    rater.save()
    if spoil == "token":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    if spoil == "withdrawn":
        Membership.objects.update(withdrawn_at="2027-01-01T00:00Z")
    assert Client().get(reverse("door_return", args=[token])).status_code == 404
    assert Client().post(reverse("door_return", args=[token])).status_code == 404


def test_a_member_with_a_password_gets_no_return_link_and_cannot_be_entered_by_one() -> None:
    one, ann = with_open_link(), user("ann")
    membership = open_links.enter(study=one, recruit=Recruit(), user=ann)
    assert membership.rater == ann
    with pytest.raises(OpenLinkError):
        open_links.find_return(open_links.return_token(membership))


@pytest.mark.parametrize("state", ["paused", "closed", "full", "shut", "never", "draft"])
def test_a_link_that_admits_nobody_gives_one_answer_for_every_reason(state: str) -> None:
    one = with_open_link(limit=1)
    path = address(one)
    if state in ("paused", "closed"):
        (states.pause if state == "paused" else states.close)(study=one, by=None)
    if state == "full":
        open_links.enter(study=one, recruit=Recruit())
    if state == "shut":
        open_links.close_open_link(study=one, by=user("rey", "researcher"))
    if state == "never":
        path = reverse("door", args=["no-such-door-here"])
    if state == "draft":
        Study.objects.update(state="draft")
    before = User.objects.count()
    for answer in (Client().get(path), Client().post(path)):
        assert answer.status_code == 404
        assert "is not letting anyone in at the moment" in answer.content.decode()
    assert User.objects.count() == before


def test_who_left_or_was_put_out_makes_room_below_the_limit() -> None:
    one = with_open_link(limit=1)
    first = open_links.enter(study=one, recruit=Recruit())
    with pytest.raises(OpenLinkError):
        open_links.enter(study=one, recruit=Recruit())
    Membership.objects.filter(pk=first.pk).update(screened_out_at="2027-01-01T00:00Z")
    assert open_links.enter(study=one, recruit=Recruit()).pk != first.pk


def test_a_participant_from_prolific_always_comes_back_to_the_same_place() -> None:
    one = with_open_link(code="C0DE")
    for _ in range(3):
        client = Client()
        page = client.get(address(one, **QUERY))
        assert PID in page.content.decode()
        answer = client.post(address(one), QUERY)
        assert answer.headers["Location"] == reverse("rate_next", args=[one.memberships.get().token])
    member = one.memberships.get()
    assert (member.prolific_pid, member.prolific_study, member.prolific_session) == tuple(QUERY.values())


def test_a_participant_does_not_come_in_under_the_account_that_was_logged_in() -> None:
    one, client = with_open_link(code="C0DE"), Client()
    ann = user("ann", "researcher")
    client.force_login(ann)
    client.post(address(one), QUERY)
    assert one.memberships.get().rater != ann
    assert client.session["_auth_user_id"] == str(one.memberships.get().rater_id)


HOSTILE = [
    {},
    {"PROLIFIC_PID": ""},
    {**QUERY, "PROLIFIC_PID": "{{%PROLIFIC_PID%}}"},
    {**QUERY, "PROLIFIC_PID": PID.upper()},
    {**QUERY, "PROLIFIC_PID": PID + "\n"},
    {**QUERY, "PROLIFIC_PID": "' OR 1=1 --"},
    {**QUERY, "STUDY_ID": "<script>x()</script>"},
    {**QUERY, "SESSION_ID": "a" * 61},
    {**QUERY, "SESSION_ID": "\x00"},
]


@pytest.mark.parametrize("query", HOSTILE)
def test_parameters_that_prolific_does_not_send_are_refused_and_shown_nowhere(query: dict[str, str]) -> None:
    one = with_open_link(code="C0DE")
    with pytest.raises(ParameterError):
        Recruit.read(one, query)
    for answer in (Client().get(address(one, **query)), Client().post(address(one), query)):
        assert answer.status_code == 422
        text = answer.content.decode()
        assert "entered from its page on Prolific" in text
        assert "<script>x" not in text
    assert not one.memberships.exists()


@pytest.mark.parametrize("token", ["a%00b", "..%2F..%2Fadmin", "é", "x" * 400])
def test_an_address_of_a_link_may_be_any_text(token: str) -> None:
    assert Client().get(f"/door/{token}/").status_code == 404
    assert Client().get(f"/door/return/{token}/").status_code == 404


def test_an_open_link_leads_to_no_other_site_whatever_its_query_says() -> None:
    one = with_open_link()
    answer = Client().post(address(one, next="https://elsewhere.example/", name="x"))
    assert answer.headers["Location"].startswith("/door/")


def test_a_form_from_another_site_lets_nobody_in() -> None:
    one = with_open_link()
    assert Client(enforce_csrf_checks=True).post(address(one)).status_code == 403
    assert not one.memberships.exists()


def test_one_network_cannot_make_accounts_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_link_views, "MOST_TRIES", 3)
    one = with_open_link()
    found = [Client().post(address(one)).status_code for _ in range(5)]
    assert found == [302, 302, 302, 429, 429]
    assert Client().post(address(one), REMOTE_ADDR="10.0.0.9").status_code == 302
    assert one.memberships.count() == 4


def test_a_simulated_study_and_a_draft_have_no_open_link() -> None:
    one = draft(of=corpus(1), is_simulated=True)
    with pytest.raises(OpenLinkError):
        open_links.set_open_link(
            study=one, limit=None, completion_code="", screen_out_code="", by=user("rey", "researcher")
        )


def test_a_researcher_opens_a_link_for_prolific_and_closes_it_again() -> None:
    one, client = study(of=corpus(1)), logged_in(Role.RESEARCHER, "rey")
    page = reverse("study_door", args=[one.pk])
    client.post(page, {"limit": "5", "completion_code": "C0DE", "screen_out_code": ""})
    one.refresh_from_db()
    text = client.get(page).content.decode()
    assert f"/door/{one.door_token}/?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&amp;STUDY_ID={{{{%STUDY_ID%}}}}" in text
    first = one.door_token
    client.post(page, {"limit": "6", "completion_code": "C0DE", "screen_out_code": "OUT"})
    one.refresh_from_db()
    assert (one.door_token, one.door_limit, one.screen_out_code) == (first, 6, "OUT")
    client.post(reverse("study_door_shut", args=[one.pk]))
    client.post(reverse("study_door_shut", args=[one.pk]))
    one.refresh_from_db()
    assert one.door_token is None
    verbs = AuditEvent.objects.filter(subject=f"study:{one.pk}", verb__startswith="open_link.").values_list(
        "verb", flat=True
    )
    assert sorted(verbs) == [AuditVerb.OPEN_LINK_CHANGED, AuditVerb.OPEN_LINK_CLOSED, AuditVerb.OPEN_LINK_OPENED]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"limit": "0"}, "greater than or equal to 1"),
        ({"completion_code": "no spaces"}, "letters, digits"),
        ({"screen_out_code": "OUT"}, "needs this code too"),
    ],
)
def test_a_link_with_a_poor_setting_is_not_opened(fields: dict[str, str], said: str) -> None:
    one = study(of=corpus(1))
    page = logged_in(Role.RESEARCHER, "rey").post(reverse("study_door", args=[one.pk]), fields)
    assert page.status_code == 422
    assert said in page.content.decode()
    one.refresh_from_db()
    assert one.door_token is None


def test_members_do_not_share_the_throttle_of_newcomers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_link_views, "MOST_TRIES", 2)
    one, member = with_open_link(), Client()
    member.post(address(one))
    joined = one.memberships.get()
    back = reverse("door_return", args=[open_links.return_token(joined)])
    busy = [Client().post(address(one)) for _ in range(4)][-1]
    assert (busy.status_code, busy["Retry-After"]) == (429, "300")
    assert {member.post(address(one)).status_code for _ in range(5)} == {302}
    assert {Client().post(back).status_code for _ in range(5)} == {302}
    assert [Client().post(back[:-1] + "x/").status_code for _ in range(4)] == [404, 404, 429, 429]
    assert Client().post(back).status_code == 302


def test_a_participant_who_is_known_comes_back_while_newcomers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_link_views, "MOST_TRIES", 1)
    one = with_open_link(code="C0DE")
    assert Client().post(address(one), QUERY).status_code == 302
    assert Client().post(address(one), {**QUERY, "PROLIFIC_PID": PID[::-1]}).status_code == 429
    assert Client().post(address(one), QUERY).status_code == 302
