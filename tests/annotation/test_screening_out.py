"""Raters who fail the attention checks: what becomes of their ratings and places, and what a report says of them."""

import csv
import io
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from annotation import triggers
from annotation.design import checklist, files, launch
from annotation.design.methods import methods_text
from annotation.design.record_views import next_version
from annotation.models import NO_LEASE, Assignment, FrozenDesignError, Membership, Rating, Study
from annotation.rating import membership_changes, queue
from annotation.rating.answers import Answer
from annotation.reports import unblinding
from annotation.reports.exports import ratings_csv
from annotation.reports.loading import findings_of
from annotation.reports.preference_findings import preferences_of
from annotation.reports.preference_tables import preference_tables
from demo import simulation
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.checked_study import add_item, give_checks, with_checks
from tests.annotation.setting import KEYS, check, corpus, draft, member, study, user
from tests.people import client_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TWO = ("alpha", "beta")
SAID = "Raters screened out for failed attention checks: 1."


def checked(k: int | None, **fields: Any) -> Study:
    """Four dialogues, and an attention check that asks for 2s and may not be failed."""
    made = study(k, of=corpus(2, TWO), versions=TWO, most_lapses=0, **fields)
    add_item(made, "attention", expected=dict.fromkeys(KEYS, 2), tolerance=0)
    return made


def fresh(rater: Membership) -> Membership:
    return Membership.objects.select_related("study__rubric", "rater").get(pk=rater.pk)


def rate_all(rater: Membership, value: int) -> int:
    """Score everything there is for them, checks too; gives how many items that were."""
    rated = 0
    while held := queue.next_assignment(fresh(rater), now=NOW):
        answer = Answer(dict.fromkeys(KEYS, value))
        queue.submit(rater.rater, held.token, submission_id=held.submission_id, answer=answer, now=NOW)
        rated += 1
    return rated


def fail(rater: Membership, value: int = 5) -> None:
    """Score as many dialogues as there are, then the check, wrongly."""
    place = rater.study.items.get(purpose="attention")
    Assignment.objects.get_or_create(item=place, membership=rater, defaults={"study": rater.study, "position": 9})
    Assignment.objects.filter(item=place, membership=rater).update(position=4)
    rate_all(rater, value)
    assert fresh(rater).screened_out_at is not None


def counted(of: Study) -> Counter[int]:
    return Counter(Rating.objects.counted().for_study(of).values_list("assignment__item_id", flat=True))


def mean(of: Study) -> float:
    found = findings_of(of).means["natural", "alpha"]
    assert found is not None
    return found.plain


@pytest.mark.django_db
@pytest.mark.parametrize(("counts", "wanted"), [(False, 3.0), (True, 3.5)])
def test_the_mean_is_that_of_those_who_passed_unless_the_study_counts_all(counts: bool, wanted: float) -> None:
    one = checked(None, counts_screened_out=counts)
    for name, value in (("ann", 2), ("bob", 3), ("cem", 4)):
        rater = member(one, name)
        Assignment.objects.filter(item__purpose="attention", membership=rater).delete()
        assert rate_all(rater, value) == 4
    fail(member(one, "dan"))
    assert mean(one) == wanted


@pytest.mark.django_db
def test_the_places_of_a_screened_out_rater_go_to_others_until_every_item_has_its_k_ratings() -> None:
    one = checked(2)
    ann, bob, cem = (member(one, name) for name in ("ann", "bob", "cem"))
    fail(ann)
    assert not counted(one)
    assert not one.assignments.filter(membership=ann, slot__isnull=False).exists()
    assert Rating.objects.filter(assignment__membership=ann, is_current=True).count() == 5
    for rater in (bob, cem):
        Assignment.objects.filter(item__purpose="attention", membership=rater).delete()
        assert rate_all(rater, 3) == 4
    assert set(counted(one).values()) == {2}
    assert len(counted(one)) == 4
    event = AuditEvent.objects.get(verb=AuditVerb.RATER_SCREENED_OUT)
    assert event.detail == {"member": ann.pk, "lapses": 1, "freed": 4}


@pytest.mark.django_db
def test_where_the_study_counts_them_they_keep_the_places_they_have_rated_and_no_others() -> None:
    one = checked(1, counts_screened_out=True)
    ann, bob = member(one, "ann"), member(one, "bob")
    held = queue.next_assignment(fresh(ann), now=NOW)
    assert held is not None
    answer = Answer(dict.fromkeys(KEYS, 5))
    queue.submit(ann.rater, held.token, submission_id=held.submission_id, answer=answer, now=NOW)
    assert queue.next_assignment(fresh(ann), now=NOW)
    assert membership_changes.screen_out(membership=ann, lapses=1, now=NOW) == 1
    assert counted(one) == {held.item_id: 1}
    Assignment.objects.filter(item__purpose="attention", membership=bob).delete()
    assert rate_all(bob, 3) == 3
    assert set(counted(one).values()) == {1}
    assert len(counted(one)) == 4


@pytest.mark.django_db
def test_screening_out_twice_changes_nothing() -> None:
    one = checked(1)
    ann = member(one, "ann")
    fail(ann)
    first = fresh(ann).screened_out_at
    assert membership_changes.screen_out(membership=ann, lapses=3, now=datetime(2027, 1, 1, tzinfo=UTC)) == 0
    assert fresh(ann).screened_out_at == first
    assert AuditEvent.objects.filter(verb=AuditVerb.RATER_SCREENED_OUT).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("k", [None, 1])
def test_reinstating_takes_the_exclusion_back_and_not_the_screening(k: int | None) -> None:
    one = checked(k)
    ann = member(one, "ann")
    fail(ann)
    client = client_of(user("rey", "researcher"))
    client.post(reverse("rater_exclude", args=[one.pk, ann.pk]), {"reason": "did not read"})
    page = client.get(reverse("study_rater", args=[one.pk, ann.pk])).content.decode()
    assert "also screened out" in page
    told = client.post(reverse("rater_reinstate", args=[one.pk, ann.pk]), follow=True).content.decode()
    assert "still do not count" in told
    assert "Screened out for failed attention checks" in told
    assert fresh(ann).excluded_at is None
    assert not counted(one)
    assert queue.next_assignment(fresh(ann), now=NOW) is None
    assert not one.assignments.filter(membership=ann, slot__isnull=False).exists()


@pytest.mark.django_db
def test_a_reinstated_rater_who_counts_all_the_same_gets_the_places_back() -> None:
    one = checked(1, counts_screened_out=True)
    ann = member(one, "ann")
    fail(ann)
    membership_changes.exclude(membership=ann, reason="did not read", by=None)
    assert not counted(one)
    assert membership_changes.reinstate(membership=ann, by=None) == 4
    assert set(counted(one).values()) == {1}


@pytest.mark.django_db
@pytest.mark.parametrize("counts", [False, True])
def test_page_files_command_and_methods_say_how_many_there_were_and_whether_they_count(
    counts: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    one = checked(None, name="Pilot", counts_screened_out=counts)
    bob = member(one, "bob")
    Assignment.objects.filter(item__purpose="attention", membership=bob).delete()
    rate_all(bob, 3)
    fail(member(one, "ann"))
    unblinding.unblind(study=one, by=None, how="on purpose")
    said = f"{SAID} Their ratings {'still count, as the design says' if counts else 'are left out'}."
    client = client_of(user("ada", "admin"))
    assert said in client.get(reverse("study_report", args=[one.pk])).content.decode().split("report-table")[0]
    table = client.get(reverse("study_table_csv", args=[one.pk, "table-3"])).content.decode()
    assert {row["screened_out"] for row in csv.DictReader(io.StringIO(table))} == {said}
    rows = list(csv.DictReader(io.StringIO("".join(ratings_csv(one)))))
    assert Counter(row["screened_out"] for row in rows) == {"False": 24} | ({"True": 24} if counts else {})
    call_command("study_report", "Pilot")
    assert said in capsys.readouterr().out
    call_command("study_report", "Pilot", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert printed["screened_out"] == {"raters": 1, "count": counts}
    assert printed["failed_training"] == {"raters": 0}
    written = methods_text(one)
    assert "1 was screened out by attention checks" in written
    stay = "still count" if counts else "are in no result"
    assert f"fails more than 0 attention checks is screened out, and their ratings {stay}." in written


@pytest.mark.django_db
def test_the_report_of_a_study_of_pairs_says_it_too() -> None:
    one = launch.launch(study=draft(of=corpus(2), kind="pairs", pairs=[["alpha", "beta"]], most_lapses=0), by=None)
    ann, bob = member(one, "ann"), member(one, "bob")
    answer = Answer(dict.fromkeys(KEYS, 1))
    for rater in (ann, bob):
        held = queue.next_assignment(fresh(rater), now=NOW)
        assert held is not None
        queue.submit(rater.rater, held.token, submission_id=held.submission_id, answer=answer, now=NOW)
    membership_changes.screen_out(membership=ann, lapses=1, now=NOW)
    found = preferences_of(Study.objects.get(pk=one.pk))
    assert (found.ratings, found.raters, found.screened_out) == (1, 1, 1)
    table = preference_tables(one, found)["win-rates"]
    assert any(note.startswith(SAID) for note in table.notes)


@pytest.mark.django_db
def test_the_methods_paragraph_counts_who_joined_finished_left_and_was_put_out() -> None:
    one = study(of=corpus(2, TWO), versions=TWO)
    ann, bob, cem, _ = (member(one, name) for name in ("ann", "bob", "cem", "dan"))
    rate_all(ann, 3)
    membership_changes.exclude(membership=bob, reason="did not read", by=None)
    membership_changes.withdraw(membership=cem, by=None)
    said = "4 raters joined: 1 was excluded by a researcher while the study was blind, 1 withdrew, "
    assert f"{said}1 rated and had nothing left to rate and 1 had not finished." in methods_text(one)
    unblinding.unblind(study=one, by=None, how="on purpose")
    assert "(1 before and 0 after the study was unblinded)" in methods_text(one)


@pytest.mark.django_db
def test_whether_they_count_is_decided_with_the_checks_and_frozen_at_the_launch() -> None:
    one = draft(of=corpus(3), most_lapses=0)
    check(one, one.corpus.dialogues.get(key="d0"), "attention", note="Choose 4.")
    client = client_of(user("rey", "researcher"))
    step = reverse("study_step", args=[one.pk, "checks"])
    form = client.get(step).context["form"]
    assert not form["counts_screened_out"].value()
    sent = {"most_lapses": 1, "counts_screened_out": "on", "seen": form["seen"].value()}
    assert client.post(step, sent).status_code == 302
    one.refresh_from_db()
    assert one.counts_screened_out
    assert any("who fail the attention checks will count" in problem.text for problem in checklist.shoulds(one))
    assert "still count" in client.get(one.get_absolute_url()).content.decode()
    launched = launch.launch(study=one, by=None)
    assert "still count" in client.get(reverse("study_design", args=[one.pk])).content.decode()
    launched.counts_screened_out = False
    with pytest.raises(FrozenDesignError):
        launched.save()
    assert next_version(study=launched, by=None).counts_screened_out


@pytest.mark.django_db
def test_a_design_file_says_it_and_an_older_one_means_that_they_do_not_count(tmp_path: Path) -> None:
    one = draft(of=corpus(3), name="Old", counts_screened_out=True)
    found = json.loads(files.exported(one))
    assert found["counts_screened_out"] is True
    for name, changes in (("New", {}), ("Older", {"counts_screened_out": None})):
        kept = {**found, "name": name, **changes}
        path = tmp_path / "design.json"
        path.write_text(json.dumps({key: value for key, value in kept.items() if value is not None or key in ("k",)}))
        call_command("create_study", "--design", str(path), verbosity=0)
        assert Study.objects.get(name=name).counts_screened_out == (name == "New")


@pytest.mark.django_db
def test_a_simulated_rater_who_fails_stops_and_another_fills_the_places() -> None:
    one = with_checks(study(1, of=corpus(2, TWO), versions=TWO, is_simulated=True))
    Study.objects.filter(pk=one.pk).update(most_lapses=0)
    one.refresh_from_db()
    simulation.simulate(study=one, raters=4)
    failed = one.memberships.screened_out()
    for rater in failed:
        assert queue.next_assignment(fresh(rater), now=NOW) is None
    assert set(counted(one).values()) <= {1}


@pytest.mark.django_db
def test_whoever_is_screened_out_cannot_change_what_they_rated() -> None:
    one = checked(1)
    ann = member(one, "ann")
    give_checks(ann)
    fail(ann)
    rated = ann.assignments.filter(state="submitted", item__purpose="rated").first()
    assert rated is not None
    better = Answer(dict.fromkeys(KEYS, 1))
    with pytest.raises(queue.QueueError, match="no longer rate"):
        queue.submit(ann.rater, rated.token, submission_id=uuid.uuid4(), answer=better, now=NOW)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_the_last_failed_check_and_a_withdrawal_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = member(checked(1), "ann")
    Assignment.objects.filter(membership=ann).update(position=0)
    held = queue.next_assignment(fresh(ann), now=NOW)
    assert held is not None
    assert held.item.purpose == "attention"
    failing, go_on, real, failed = (
        threading.Event(),
        threading.Event(),
        membership_changes.screen_out,
        list[Exception](),
    )

    def slowly(**fields: Any) -> int:
        failing.set()
        go_on.wait(10)
        return real(**fields)

    def started(act: Callable[[], Any]) -> threading.Thread:
        def run() -> None:
            try:
                act()
            except Exception as error:
                failed.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    monkeypatch.setattr(membership_changes, "screen_out", slowly)
    answer, spent = Answer(dict.fromkeys(KEYS, 5)), held.submission_id
    threads = [started(lambda: queue.submit(ann.rater, held.token, submission_id=spent, answer=answer, now=NOW))]
    assert failing.wait(10)
    threads.append(started(lambda: membership_changes.withdraw(membership=ann, by=None)))
    threads[1].join(0.5)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert failed == []
    assert not fresh(ann).is_ongoing
    assert fresh(ann).screened_out_at is not None


@pytest.mark.django_db(transaction=True)
def test_an_update_frees_the_places_of_those_screened_out_before() -> None:
    one = checked(2)
    ann, bob = member(one, "ann"), member(one, "bob")
    Assignment.objects.filter(item__purpose="attention").delete()
    assert rate_all(ann, 5) == 4
    held = queue.next_assignment(fresh(bob), now=NOW)
    assert held is not None
    with triggers.TRIGGERS.lifted():
        MigrationExecutor(connection).migrate([("annotation", "0010_sessions")])
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE annotation_membership SET screened_out_at = joined_at")
    finally:
        with triggers.TRIGGERS.lifted():
            executor = MigrationExecutor(connection)
            executor.migrate(executor.loader.graph.leaf_nodes("annotation"))
    rows = one.assignments.filter(item__purpose="rated")
    assert sorted(rows.filter(slot__isnull=False).values_list("slot", flat=True)) == [1] * 4 + [2] * 4
    assert set(rows.filter(slot__isnull=False).values_list("membership", "state", "lease_until")) == {
        (None, "open", NO_LEASE)
    }
    assert rows.filter(membership=ann, state="submitted").count() == 4
    assert not rows.filter(membership=bob).exists()
    assert not counted(one)
