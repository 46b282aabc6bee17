"""Which of two systems a tester preferred: who is asked and when, what is kept and leaves, and what the report says."""

import csv
import io
from typing import Any

import pytest
from django.urls import reverse

from annotation.chats.plan import ChatPlan
from annotation.models import Membership, Study, SystemPreference
from annotation.monitoring import states
from annotation.rating import membership_changes
from annotation.reports.loading import findings_of
from annotation.reports.system_preferences import Answer, PreferenceFindings, preference_findings
from annotation.reports.tables import study_tables
from annotation.roles import Role
from core.tables import Estimate
from tests.annotation.chat_studies import SECRET, chat_study, chatted, chatted_study, hold, join
from tests.people import client_of, logged_in

ASKS = ChatPlan(practice=False, asks_preference=True)


def asking(**fields: Any) -> Study:
    """Ann met Tuned first, Ben met Plain first; both have scored a chat with each."""
    return chatted_study(plan=ASKS, **fields)


def both_testers(study: Study) -> list[Membership]:
    return list(study.memberships.select_related("rater", "study").order_by("pk"))


def page_of(tester: Membership) -> str:
    return reverse("rate_preference", args=[tester.token])


def after_all(tester: Membership) -> str:
    """Where the tester is led when no chat waits."""
    found: Any = client_of(tester).get(reverse("rate_next", args=[tester.token]), follow=True)
    return found.redirect_chain[-1][0] if found.redirect_chain else ""


def answered(tester: Membership, choice: str, comment: str = "") -> Any:
    return client_of(tester).post(page_of(tester), {"choice": choice, "comment": comment})


@pytest.mark.django_db
def test_who_has_scored_the_last_chat_is_asked_once_and_then_done() -> None:
    ann, _ = both_testers(asking())
    assert after_all(ann) == page_of(ann)
    assert answered(ann, "first", "It listened.").headers["Location"] == reverse("rate_next", args=[ann.token])
    kept = SystemPreference.objects.get()
    assert (kept.first_id, kept.second_id, kept.preferred) == ("chat-tuned", "chat-plain", "chat-tuned")
    assert kept.comment == "It listened."
    assert after_all(ann) == ""


@pytest.mark.django_db
def test_a_changed_answer_is_a_row_of_its_own_and_counts() -> None:
    study = asking()
    ann, ben = both_testers(study)
    answered(ann, "first")
    answered(ann, "same", "On reflection.")
    answered(ben, "unsaid")
    assert SystemPreference.objects.count() == 3
    last = SystemPreference.objects.last_of([ann.pk, ben.pk])
    assert [(one.choice, one.comment) for one in last] == [("same", "On reflection."), ("unsaid", "")]
    html = client_of(ann).get(page_of(ann)).content.decode()
    assert "On reflection." in html


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [{}, {"choice": "third"}, {"choice": "same", "comment": "x" * 2001}])
def test_what_is_no_answer_is_refused_with_what_to_do(sent: dict[str, str]) -> None:
    ann, _ = both_testers(asking())
    found = client_of(ann).post(page_of(ann), sent)
    assert found.status_code == 422
    assert "notice--danger" in found.content.decode()
    assert not SystemPreference.objects.exists()


@pytest.mark.django_db
def test_nobody_is_asked_before_the_last_chat_or_about_one_system_alone() -> None:
    study = chat_study(plan=ASKS)
    ann, ben = join(study, 0), join(study, 1)
    chatted(ann, "Tuned", 0)
    chatted(ann, "Plain", 1)
    hold(ann, "Plain", 0)
    chatted(ben, "Tuned", 1)
    for tester in (ann, ben):
        answered(tester, "first")
        assert after_all(tester) != page_of(tester)
    assert not SystemPreference.objects.exists()


@pytest.mark.django_db
def test_a_study_that_does_not_ask_has_no_such_page_and_no_table() -> None:
    study = chatted_study()
    ann, _ = both_testers(study)
    assert after_all(ann) == ""
    answered(ann, "first")
    assert not SystemPreference.objects.exists()
    assert "preferred-systems" not in study_tables(study, findings_of(study))


@pytest.mark.django_db
def test_a_closed_study_takes_no_answer() -> None:
    study = asking()
    ann, _ = both_testers(study)
    states.close(study=study, by=None)
    answered(ann, "first")
    assert not SystemPreference.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("policy", "left"), [(Study.Withdrawal.REMOVE, 0), (Study.Withdrawal.KEEP, 1)])
def test_a_withdrawal_removes_the_answer_where_it_removes_scores(policy: str, left: int) -> None:
    ann, _ = both_testers(asking(withdrawal=policy))
    answered(ann, "first", "words of mine")
    membership_changes.withdraw(membership=ann, by=ann.rater)
    assert SystemPreference.objects.filter(comment="words of mine").count() == left


@pytest.mark.django_db
def test_the_page_names_no_system_and_shows_which_chats_each_partner_had() -> None:
    ann, _ = both_testers(asking(unblinded=False))
    html = client_of(ann).get(page_of(ann)).content.decode()
    told = ("Tuned", "Plain", "chat-tuned", "chat-plain", SECRET, "&lt;|msg|&gt;", "127.0.0.1")
    assert [secret for secret in told if secret in html] == []
    first, second = html.split('id="partner-B"')
    assert "Theme 0." in first
    assert "fine" in first
    assert "Theme 1." in second
    assert "Hello. What is it?" in second


@pytest.mark.django_db
def test_another_tester_cannot_open_the_page() -> None:
    ann, ben = both_testers(asking())
    assert client_of(ben).get(page_of(ann)).status_code == 404


@pytest.mark.django_db
def test_the_report_counts_testers_and_says_what_order_did() -> None:
    study = asking()
    ann, ben = both_testers(study)
    answered(ann, "first", '=HYPERLINK("x")')
    answered(ben, "second")
    table = study_tables(study, findings_of(study))["preferred-systems"]
    rows = {str(row[0]): row for row in table.rows}
    share = rows["Tuned"][2]
    assert isinstance(share, Estimate)
    assert (rows["Tuned"][1], share.value, share.n) == (2, 100.0, 2)
    assert (rows["Tuned"][3], rows["Tuned"][4]) == ("1 of 1", "1 of 1")
    assert any("1 of these 2 preferred the system that they had met first" in note for note in table.notes)
    browser = logged_in(Role.RESEARCHER)
    said = b"".join([browser.get(reverse("study_preferences_csv", args=[study.pk])).content]).decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(said)))
    assert [(line["preferred"], line["met_first"], line["choice"]) for line in lines] == [
        ("Tuned", "Tuned", "first"),
        ("Tuned", "Plain", "second"),
    ]
    assert not lines[0]["comment"].startswith("=")
    assert "Which system testers preferred" in browser.get(reverse("study_report", args=[study.pk])).content.decode()


@pytest.mark.django_db
def test_who_does_not_count_has_no_say() -> None:
    study = asking()
    ann, ben = both_testers(study)
    answered(ann, "first")
    answered(ben, "second")
    membership_changes.exclude(membership=ann, reason="A colleague.", by=None)
    found = findings_of(study).chats
    assert found is not None
    assert found.preference is not None
    assert (found.preference.answered, found.preference.systems["chat-tuned"].count) == (1, 1)


def found_in(*answers: tuple[str, str, str | None]) -> PreferenceFindings:
    found = preference_findings([Answer(*one) for one in answers], ["x", "y"])
    assert found is not None
    return found


def test_shares_are_of_all_who_answered_and_tests_of_those_with_a_preference() -> None:
    found = found_in(*[("x", "y", "x")] * 8, *[("y", "x", "y")] * 1, ("x", "y", ""), ("y", "x", None))
    assert (found.answered, found.decided, found.same, found.unsaid) == (10, 9, 1, 1)
    assert found.systems["x"].share.value == 0.8
    # scipy.stats.binomtest(8, 9).pvalue
    assert found.p == pytest.approx(0.0390625)
    assert found.first.value == 1.0
    # binomtest(9, 9)
    assert found.p_order == pytest.approx(0.00390625)
    assert found.systems["x"].met_second == (0, 1)


def test_without_a_preference_there_is_nothing_to_test() -> None:
    found = found_in(("x", "y", ""), ("y", "x", None))
    assert (found.p, found.p_order, found.first.value) == (None, None, None)
    assert preference_findings([], ["x", "y"]) is None
