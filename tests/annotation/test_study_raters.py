"""The pages about a study's raters, putting one out and back in, and what can be done to a study."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.design.drafting import DesignError
from annotation.models import Assignment, Item, Membership, Rating, Score, Study
from annotation.monitoring import states
from annotation.monitoring.progress import LIVE_DRAWS, live_agreement
from annotation.monitoring.rater_views import sorted_rows
from annotation.monitoring.raters import rater_rows
from annotation.recruitment import open_links, reminders
from annotation.recruitment.open_links import Recruit
from annotation.recruitment.reminders import idle_raters, remind
from annotation.reports.notes import FEW_BACKGROUNDS
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.rated_study import rated_study
from tests.annotation.setting import corpus, draft, member, study, user

pytestmark = pytest.mark.django_db


def uneven(rater: int, background: int, version: str, metric: str) -> int:
    """The third rater always says 3."""
    return 3 if rater == 2 else 1 + (background + len(version) + len(metric) + rater) % 5


def test_the_raters_page_finds_the_one_who_always_says_the_same(browser: Client) -> None:
    one = rated_study(backgrounds=3, score=uneven)
    page = browser.get(reverse("study_raters", args=[one.pk]), {"sort": "-straight"})
    rows = list(page.context["page"])
    assert rows[0].membership.rater.username == f"rater-{one.pk}-2@example.org"
    assert (rows[0].quality.straight, rows[0].quality.longest_run) == (1, 12)
    assert "100 %" in page.content.decode()


def test_rows_sort_by_any_column_and_those_without_a_value_come_last() -> None:
    one = rated_study(backgrounds=2, raters=2, score=uneven)
    late = Membership.objects.create(study=one, rater=user("zoe"), seed=9)
    for sort in ("agreement", "-agreement"):
        rows, used = sorted_rows(rater_rows(one), sort)
        assert (rows[-1].membership, used) == (late, sort)
    rows, used = sorted_rows(rater_rows(one), "rater__password")
    assert ([row.membership.pk for row in rows], used) == (sorted(row.membership.pk for row in rows), "")


def test_the_raters_page_asks_few_queries_whatever_their_number(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    one = rated_study(backgrounds=1, raters=30)
    # Four of them ask again whether anything changed while it was computed.
    with django_assert_max_num_queries(21):
        text = browser.get(reverse("study_raters", args=[one.pk])).content.decode()
    assert text.count("of 4</td>") >= 30


def check(one: Study, purpose: str, expected: int, given: int, who: Membership) -> None:
    number = one.items.count()
    item = one.items.order_by("pk")[number % 4]
    made = Item.objects.create(
        study=one,
        dialogue=item.dialogue,
        background=item.background,
        purpose=purpose,
        position=500 + number,
        expected={"natural": expected},
        tolerance=0,
    )
    place = Assignment.objects.create(study=one, item=made, membership=who, position=1, state="submitted")
    rating = Rating.objects.create(assignment=place, seconds=1)
    Score.objects.create(rating=rating, metric="natural", value=given, scale_low=1, scale_high=5)


def test_known_items_and_attention_checks_are_counted_apart_from_progress() -> None:
    one = rated_study(backgrounds=1, raters=1)
    who = one.memberships.get()
    check(one, "gold", 5, 5, who)
    check(one, "gold", 5, 1, who)
    check(one, "attention", 2, 3, who)
    (row,) = rater_rows(one)
    assert (row.checks.gold_passed, row.checks.gold, row.checks.lapses, row.checks.attention) == (1, 2, 1, 1)
    assert (row.done, row.quality.ratings) == (4, 4)


def test_a_rater_is_excluded_with_a_reason_marked_everywhere_and_reinstated(browser: Client) -> None:
    one = rated_study(backgrounds=2, score=uneven)
    third = one.memberships.order_by("pk").last()
    assert third is not None
    page, pk = reverse("study_rater", args=[one.pk, third.pk]), third.pk
    assert browser.post(reverse("rater_exclude", args=[one.pk, pk]), {"reason": " "}).status_code == 422
    before = [row.interval.value for row in live_agreement(one)]
    for _ in range(2):
        browser.post(reverse("rater_exclude", args=[one.pk, pk]), {"reason": "Always <b>3</b>"})
    third.refresh_from_db()
    assert third.excluded_by is not None
    assert (third.excluded_by.username, third.exclusion_reason) == ("rey", "Always <b>3</b>")
    assert "Always &lt;b&gt;3&lt;/b&gt;" in browser.get(page).content.decode()
    for shown in (one.get_absolute_url(), reverse("study_raters", args=[one.pk])):
        assert ">excluded</span>" in browser.get(shown).content.decode()
    assert Rating.objects.filter(assignment__membership=third, is_current=True).count() == 8
    assert browser.get(reverse("study_report", args=[one.pk])).context["found"].ratings == 16
    browser.post(reverse("rater_reinstate", args=[one.pk, pk]))
    assert browser.get(reverse("study_report", args=[one.pk])).context["found"].ratings == 24
    assert [row.interval.value for row in live_agreement(one)] == before
    events = AuditEvent.objects.filter(subject=f"study:{one.pk}", verb__startswith="rater.").order_by("pk")
    told = [(event.verb, event.detail["member"]) for event in events]
    assert told == [(AuditVerb.RATER_EXCLUDED, pk), (AuditVerb.RATER_REINSTATED, pk)]


def test_a_raters_page_shows_their_use_of_the_scale_and_their_remarks(browser: Client) -> None:
    one = rated_study(backgrounds=2, score=uneven, comment="A remark & more")
    third = one.memberships.order_by("pk").last()
    assert third is not None
    page = browser.get(reverse("study_rater", args=[one.pk, third.pk]))
    assert page.content.decode().count("A remark &amp; more") == 8
    assert all(row.cells[2][:2] == (8, 1.0) for row in page.context["distributions"])


def test_a_rater_of_another_study_is_not_found_under_this_one(browser: Client) -> None:
    one, other = rated_study(backgrounds=1), rated_study(name="Other", backgrounds=1)
    foreign = other.memberships.earliest("pk").pk
    for name in ("study_rater", "rater_return_link"):
        assert browser.get(reverse(name, args=[one.pk, foreign])).status_code == 404
    for name in ("rater_exclude", "rater_reinstate", "rater_replace"):
        assert browser.post(reverse(name, args=[one.pk, foreign]), {"reason": "x"}).status_code == 404


def test_a_lost_return_link_is_shown_to_a_researcher_and_that_is_recorded(browser: Client) -> None:
    one = study(of=corpus(1))
    one = open_links.set_open_link(
        study=one, limit=None, completion_code="", screen_out_code="", by=user("kim", "researcher")
    )
    guest = open_links.enter(study=one, recruit=Recruit())
    page = reverse("rater_return_link", args=[one.pk, guest.pk])
    assert open_links.return_token(guest) not in browser.get(page).content.decode()
    assert open_links.return_token(guest) in browser.post(page).content.decode()
    assert AuditEvent.objects.filter(verb=AuditVerb.RETURN_LINK_SHOWN).count() == 1
    by_account = member(one, "ann")
    assert browser.get(reverse("rater_return_link", args=[one.pk, by_account.pk])).status_code == 404


def test_live_agreement_has_an_interval_and_says_what_it_rests_on(browser: Client) -> None:
    one = rated_study(backgrounds=8)
    first = live_agreement(one)[0]
    assert first.ordinal.low is not None
    assert first.ordinal.value is not None
    assert first.ordinal.low < first.ordinal.value < (first.ordinal.high or 0)
    assert first.n == 32
    text = browser.get(one.get_absolute_url()).content.decode()
    assert f"{LIVE_DRAWS} resamples" in text
    assert text.count(FEW_BACKGROUNDS) == 1
    enough = rated_study(name="Enough", backgrounds=12)
    assert FEW_BACKGROUNDS not in browser.get(enough.get_absolute_url()).content.decode()
    assert 'hx-trigger="every 15s"' in text


def manage(browser: Client, one: Study, action: str, **fields: Any) -> Any:
    return browser.post(reverse("study_manage", args=[one.pk, action]), fields, follow=True)


def test_a_study_is_paused_resumed_and_closed_each_after_a_page_that_says_what_happens(browser: Client) -> None:
    one = study(of=corpus(1))
    for action, state, said in (
        ("pause", "paused", "Paused."),
        ("resume", "open", "Resumed."),
        ("close", "closed", "Closed."),
    ):
        page = reverse("study_manage", args=[one.pk, action])
        assert "Leave it as it is" in browser.get(page).content.decode()
        one.refresh_from_db()
        assert one.state != state
        assert said in manage(browser, one, action).content.decode()
        manage(browser, one, action)
        one.refresh_from_db()
        assert one.state == state
    assert one.closed_at is not None
    assert "Not possible now" in browser.get(reverse("study_manage", args=[one.pk, "resume"])).content.decode()
    assert "Only a paused study" in manage(browser, one, "resume").content.decode()
    verbs = AuditEvent.objects.filter(subject=f"study:{one.pk}", verb__startswith="study.").values_list(
        "verb", flat=True
    )
    assert sorted(verbs)[:1] == [AuditVerb.STUDY_CLOSED]
    assert list(verbs).count(AuditVerb.STUDY_PAUSED) == list(verbs).count(AuditVerb.STUDY_RESUMED) == 1


def test_a_paused_study_can_be_closed_and_a_draft_only_launched(browser: Client) -> None:
    one = study(of=corpus(1))
    states.pause(study=one, by=None)
    assert states.close(study=one, by=None).closed_at is not None
    waiting = draft(of=one.corpus)
    with pytest.raises(DesignError):
        states.close(study=waiting, by=None)
    for action in ("close", "unblind", "nothing"):
        assert browser.get(reverse("study_manage", args=[waiting.pk, action])).status_code == 404


def test_more_raters_a_dialogue_are_asked_for_and_fewer_are_refused(browser: Client) -> None:
    one = study(2, of=corpus(1))
    page = manage(browser, one, "extend", raters_per_item="3")
    assert "More raters are asked for." in page.content.decode()
    one.refresh_from_db()
    assert (one.raters_per_item, one.assignments.count()) == (3, 12)
    assert "more" in manage(browser, one, "extend", raters_per_item="2").content.decode()
    assert manage(browser, one, "extend", raters_per_item="x").status_code == 422
    one.refresh_from_db()
    assert one.raters_per_item == 3


def idle_study() -> tuple[Study, Membership]:
    one = study(of=corpus(1))
    ann, bob = member(one, "ann"), member(one, "bob")
    ann.rater.email = "ann@example.org"
    ann.rater.save(update_fields=["email"])
    Membership.objects.filter(pk=ann.pk).update(joined_at=timezone.now() - timedelta(days=9))
    assert bob.joined_at > timezone.now() - timedelta(days=1)
    return one, ann


def test_only_who_has_something_left_and_was_not_seen_is_reminded_and_only_once(settings: Any) -> None:
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "mail.example.org"}
    one, ann = idle_study()
    now = timezone.now()
    assert [row.membership for row in idle_raters(one, 3, now)] == [ann]
    assert idle_raters(one, 10, now) == []
    for _ in range(2):
        remind(study=one, days=3, base="https://s.example.org", by=None, now=now)
    (message,) = mail.outbox
    assert message.to == ["ann@example.org"]
    assert f"https://s.example.org/rate/{ann.token}/" in message.body
    assert one.name not in message.body
    assert not any(word in message.body.casefold() for word in ("score", "stephanie", "gamma", "κ", "%"))
    Membership.objects.filter(pk=ann.pk).update(excluded_at=now)
    assert idle_raters(one, 3, now) == []


def test_the_button_sends_and_without_mail_there_is_a_text_to_copy(browser: Client, settings: Any) -> None:
    one, _ = idle_study()
    page = reverse("study_remind", args=[one.pk])
    text = browser.get(page).content.decode()
    assert "sends no mail" in text
    assert "ann@example.org" in text
    assert "Write to" not in text
    assert "sends no mail" in browser.post(page, {"days": "3"}, follow=True).content.decode()
    assert mail.outbox == []
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "mail.example.org"}
    assert "Write to 1 rater" in browser.get(page).content.decode()
    assert "Sent to 1 rater." in browser.post(page, {"days": "3"}, follow=True).content.decode()
    assert "No reminder was sent" in browser.post(page, {"days": "3"}, follow=True).content.decode()
    assert browser.get(page, {"days": "-1"}).status_code == 422
    assert len(mail.outbox) == 1


def test_a_study_name_for_raters_cannot_break_a_letter(settings: Any) -> None:
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "mail.example.org"}
    one, _ = idle_study()
    Study.objects.filter(pk=one.pk).update(public_name="Chats\r\nBcc: all@example.org")
    one.refresh_from_db()
    remind(study=one, days=3, base="https://s.example.org", by=None, now=timezone.now())
    assert "\nBcc:" not in mail.outbox[0].body
    assert mail.outbox[0].recipients() == ["ann@example.org"]


def test_the_command_says_whom_it_would_write_to_and_writes_only_when_told(settings: Any) -> None:
    one, _ = idle_study()
    out = StringIO()
    call_command("remind", one.name, "--dry-run", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert [(row["email"], row["sent"]) for row in found["raters"]] == [("ann@example.org", False)]
    with pytest.raises(CommandError, match="set EMAIL_URL"):
        call_command("remind", one.name, "--base-url", "https://s.example.org")
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "mail.example.org"}
    with pytest.raises(CommandError, match="--base-url"):
        call_command("remind", one.name, "--base-url", "")
    call_command("remind", one.name, "--base-url", "https://s.example.org", stdout=out)
    assert len(mail.outbox) == 1
    states.close(study=one, by=None)
    with pytest.raises(CommandError, match="open study"):
        call_command("remind", one.name, "--base-url", "https://s.example.org")


def test_a_mail_server_that_is_down_is_told_and_the_rest_is_not_tried(browser: Client, settings: Any) -> None:
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "127.0.0.1"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    one, _ = idle_study()
    text = browser.post(reverse("study_remind", args=[one.pk]), {"days": "3"}, follow=True).content.decode()
    assert "accepted 0 of 1" in text
    assert reminders.DAYS == 3
