"""The pass mark of the training: who is told, who goes on, whose part ends, and what the record says of it."""

import csv
import io
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.urls import reverse

from annotation.design import checklist, checks, document, drafting, files, launch
from annotation.design.flow import End, flow_of
from annotation.design.methods import methods_text
from annotation.design.plan import AnalysisPlan
from annotation.design.plan_record import hash_of_plan, plan_document
from annotation.design.plan_text import texts
from annotation.design.record_views import next_version
from annotation.design.selection import select
from annotation.models import Assignment, Membership, Rating, Study
from annotation.models.studies import FrozenDesignError
from annotation.rating import membership_changes, queue, rater_stage
from annotation.rating.practice import Practice, practice_of
from annotation.recruitment import open_links
from annotation.reports.flow_figure import flow_table, steps
from annotation.reports.loading import findings_of
from core.json_documents import DocumentError
from demo import simulation
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.bundled import bundle_of, files_of
from tests.annotation.claims.methods import check_methods
from tests.annotation.setting import KEYS, NOW, TWO, check, corpus, draft, even, fresh, member, rate_all
from tests.annotation.test_checklists import answers
from tests.commands import said_by
from tests.people import client_of, logged_in

pytestmark = pytest.mark.django_db
# Every training item expects 4s, and 3 to 5 are near enough.
RIGHT, WRONG = 4, 1


def marked(least: int | None, lessons: int = 3, **fields: Any) -> Study:
    """A draft with so many training items, and as many other backgrounds to rate."""
    chats = corpus(2 * lessons or 2, TWO, name=f"Chats {Study.objects.count()}")
    made = draft(of=chats, versions=TWO, least_passed=least, **fields)
    for number in range(lessons):
        check(made, made.corpus.dialogues.get(key=f"d{number}"), expected=dict.fromkeys(KEYS, 4))
    return made


def launched(least: int | None, lessons: int = 3, **fields: Any) -> Study:
    return launch.launch(study=marked(least, lessons, **fields), by=None)


def practise(rater: Membership, *values: int) -> list[Assignment]:
    """Score the next training items, all metrics alike; gives them."""
    waiting = [lesson for lesson in rater_stage.lessons(fresh(rater)) if lesson.state == "open"]
    for lesson, value in zip(waiting, values, strict=False):
        queue.submit(rater.rater, lesson.token, submission_id=lesson.submission_id, answer=even(value), now=NOW)
    return waiting[: len(values)]


def get(client: Client, name: str, token: str) -> Any:
    return client.get(reverse(name, args=[token]), follow=True)


def score_on_page(client: Client, rater: Membership, value: int) -> Any:
    item = get(client, "rate_next", rater.token).context["item"]
    data = {f"score-{key}": value for key in KEYS} | {"submission_id": str(item.submission_id)}
    return client.post(reverse("rate_item", args=[item.token]), data, follow=True)


@pytest.mark.parametrize(
    ("least", "values", "passes"),
    [
        (2, (RIGHT, WRONG, RIGHT), True),
        (2, (RIGHT, WRONG, WRONG), False),
        (3, (RIGHT, RIGHT, 2), False),
        (3, (3, 5, 4), True),
        (1, (WRONG, WRONG, WRONG), False),
        (None, (WRONG, WRONG, WRONG), True),
    ],
)
def test_whoever_reaches_the_mark_goes_on_and_nobody_else(
    least: int | None, values: tuple[int, ...], passes: bool
) -> None:
    one = launched(least)
    Study.objects.filter(pk=one.pk).update(screen_out_code="OUT-7", completion_code="DONE-1")
    ann = member(one, "ann")
    client = client_of(ann)
    if least is not None:
        client.post(reverse("rate_welcome", args=[ann.token]), follow=True)
    for value in values:
        page = score_on_page(client, ann, value)
        # The last item has its feedback, too.
        assert page.context["feedback"].verdicts[0].is_right is (abs(value - 4) <= 1)
    ann.refresh_from_db()
    assert ann.failed_training is not passes
    assert (ann.screened_out_at is None) is passes
    client.post(reverse("rate_practice", args=[ann.token]))
    ann.refresh_from_db()
    assert (ann.trained_at is not None) is passes
    page = get(client, "rate_next", ann.token)
    assert ("item" in page.context) is passes
    assert AuditEvent.objects.filter(verb=AuditVerb.RATER_SCREENED_OUT).count() == (not passes)
    if not passes:
        right = sum(abs(value - 4) <= 1 for value in values)
        said = page.content.decode()
        assert f"In the practice you scored {right} of 3 dialogues as expected, and the pass mark was {least}" in said
        assert "did not follow the instructions" not in said
        assert "OUT-7" in said
        assert "DONE-1" not in said
        event = AuditEvent.objects.get(verb=AuditVerb.RATER_SCREENED_OUT)
        assert event.detail["missed_training"] == 3 - right


@pytest.mark.parametrize(("first", "again", "passes"), [(WRONG, RIGHT, False), (RIGHT, WRONG, True)])
def test_only_the_first_try_counts_because_feedback_follows_it(first: int, again: int, passes: bool) -> None:
    ann = member(launched(2, 2), "ann")
    [lesson] = practise(ann, first)
    feedback = client_of(ann).get(reverse("rate_feedback", args=[lesson.token])).content.decode()
    assert "Your first scores count towards the pass mark" in feedback
    held = Assignment.objects.get(pk=lesson.pk)
    queue.submit(ann.rater, lesson.token, submission_id=held.submission_id, answer=even(again), now=NOW)
    practise(ann, RIGHT)
    assert practice_of(fresh(ann)) == Practice(1 + passes, 2, 2)
    assert fresh(ann).failed_training is not passes


def test_nobody_is_judged_before_the_last_item_and_two_clicks_judge_once() -> None:
    ann = member(launched(3), "ann")
    practise(ann, WRONG, WRONG)
    assert fresh(ann).is_ongoing
    [last] = practise(ann, WRONG)
    at = fresh(ann).screened_out_at
    assert at is not None
    again = queue.submit(ann.rater, last.token, submission_id=last.submission_id, answer=even(WRONG), now=NOW)
    assert again.repeated
    assert fresh(ann).screened_out_at == at
    assert AuditEvent.objects.filter(verb=AuditVerb.RATER_SCREENED_OUT).count() == 1
    assert Rating.objects.filter(assignment=last).count() == 1


def test_the_mark_is_told_before_the_first_item_in_both_languages() -> None:
    ann = member(launched(2, minutes_estimate=None), "ann")
    client = client_of(ann)
    page = get(client, "rate_next", ann.token)
    assert page.redirect_chain[-1][0] == reverse("rate_welcome", args=[ann.token])
    said = "in at least 2 of 3 practice dialogues every score must be as expected, so you may miss 1."
    assert said in page.content.decode()
    assert "If you miss more, your part ends after the practice." in page.content.decode()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ar"
    assert "حد نجاح: في 2 على الأقل من 3" in get(client, "rate_next", ann.token).content.decode()
    practise(ann, WRONG, WRONG, WRONG)
    assert "في 0 من 3 من الحوارات" in get(client, "rate_next", ann.token).content.decode()
    bob = member(launched(None, name="Unmarked"), "bob")
    assert "pass mark" not in client_of(bob).get(reverse("rate_welcome", args=[bob.token])).content.decode()


def test_it_stands_with_the_consent_text() -> None:
    ann = member(launched(2, consent_text="I agree."), "ann")
    page = get(client_of(ann), "rate_next", ann.token).content.decode()
    assert "I agree." in page
    assert "so you may miss 1" in page


def test_a_marked_training_item_cannot_be_skipped_and_nobody_says_that_any_scores_do() -> None:
    ann = member(launched(2), "ann")
    [lesson, *_] = rater_stage.lessons(fresh(ann))
    answer: Any = client_of(ann).post(reverse("rate_skip", args=[lesson.token]), {"reason": "unreadable"}, follow=True)
    assert "your first scores count towards the pass mark" in answer.content.decode()
    assert "Any scores will do" not in answer.content.decode()


@pytest.mark.parametrize("k", [None, 1])
def test_whoever_fails_takes_no_place_and_makes_room_for_another(k: int | None) -> None:
    one = launched(2, k=k)
    Study.objects.filter(pk=one.pk).update(door_limit=2)
    ann, bob = member(one, "ann"), member(one, "bob")
    assert open_links.taken(one) == 2
    practise(ann, WRONG, WRONG, WRONG)
    assert open_links.taken(one) == 1
    assert not one.assignments.filter(membership=ann, slot__isnull=False).exists()
    assert queue.next_assignment(fresh(ann), now=NOW) is None
    practise(bob, RIGHT, RIGHT, RIGHT)
    rater_stage.finish_practice(membership=fresh(bob), now=NOW)
    assert len(rate_all(fresh(bob))) == 6
    assert set(Rating.objects.counted().for_study(one).values_list("assignment__membership", flat=True)) == {bob.pk}


@pytest.mark.parametrize("policy", ["keep", "remove"])
def test_whoever_withdraws_during_practice_withdrew_and_did_not_fail(policy: str) -> None:
    one = launched(3, withdrawal=policy)
    ann = member(one, "ann")
    practise(ann, WRONG, WRONG)
    membership_changes.withdraw(membership=ann, by=None)
    left = Membership.objects.get(pk=ann.pk)
    assert (left.failed_training, left.screened_out_at) == (False, None)
    assert flow_of(one).ends[End.WITHDREW].number == 1
    check_methods(one)


def test_an_exclusion_at_the_last_item_that_is_taken_back_does_not_spare_the_mark() -> None:
    ann = member(launched(3), "ann")
    practise(ann, WRONG, WRONG, RIGHT)
    # As if the exclusion had come between the last submit and the judgement.
    Membership.objects.filter(pk=ann.pk).update(screened_out_at=None, failed_training=False)
    membership_changes.exclude(membership=ann, reason="a reason", by=None)
    rater_stage.finish_practice(membership=fresh(ann), now=NOW)
    assert (fresh(ann).trained_at, fresh(ann).failed_training) == (None, False)
    membership_changes.reinstate(membership=ann, by=None)
    rater_stage.finish_practice(membership=fresh(ann), now=NOW)
    assert (fresh(ann).trained_at, fresh(ann).failed_training) == (None, True)


def test_finishing_twice_changes_nothing_and_a_later_try_judges_nobody_again() -> None:
    ann = member(launched(2), "ann")
    lessons = practise(ann, RIGHT, RIGHT, WRONG)
    rater_stage.finish_practice(membership=fresh(ann), now=NOW)
    first = fresh(ann).trained_at
    rater_stage.finish_practice(membership=fresh(ann), now=NOW.replace(year=2027))
    for lesson in lessons:
        held = Assignment.objects.get(pk=lesson.pk)
        queue.submit(ann.rater, lesson.token, submission_id=held.submission_id, answer=even(WRONG), now=NOW)
    assert fresh(ann).trained_at == first
    assert fresh(ann).is_ongoing


# --- the design ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("least", "lessons", "fits"), [(3, 3, True), (4, 3, False), (1, 0, False), (None, 0, True)])
def test_no_more_items_can_be_asked_for_than_there_are(least: int | None, lessons: int, fits: bool) -> None:
    one = marked(least, lessons)
    found = [problem for problem in checklist.musts(one, select(one)) if "at most as many as there are" in problem.text]
    assert bool(found) is not fits
    if fits:
        assert launch.launch(study=one, by=None).is_open
    else:
        assert found[0].step == "checks"
        with pytest.raises(drafting.DesignError, match="at most as many as there are"):
            launch.launch(study=one, by=None)


def test_an_item_that_expects_nothing_is_named_because_nobody_can_fail_it() -> None:
    one = marked(2)
    checks.change_check(item=one.items.first(), seen=checks.shown(one.items.first()), by=None, expected={})
    said = "Training items that expect no score, so that nobody can fail them: 1."
    assert any(problem.text.startswith(said) for problem in checklist.musts(one, None))
    Study.objects.filter(pk=one.pk).update(least_passed=None)
    one.refresh_from_db()
    assert not any(problem.text.startswith(said) for problem in checklist.musts(one, None))


def test_it_is_entered_with_the_checks_shown_on_every_page_and_frozen_at_the_launch() -> None:
    one = marked(None)
    client = logged_in("researcher")
    step = reverse("study_step", args=[one.pk, "checks"])
    form = client.get(step).context["form"]
    sent = {"least_passed": 2, "hidden_repeats": 0, "seen": form["seen"].value()}
    assert client.post(step, sent | {"least_passed": 0}).status_code == 422
    assert client.post(step, sent).status_code == 302
    one.refresh_from_db()
    assert one.least_passed == 2
    assert "fewer than 2 training items as expected" in client.get(one.get_absolute_url()).content.decode()
    preview = client.get(reverse("study_preview", args=[one.pk]), {"part": "training"}).content.decode()
    assert "in at least 2 of 3 training items every score must be as expected" in preview
    frozen = launch.launch(study=one, by=None)
    assert "fewer than 2 training items" in client.get(reverse("study_design", args=[one.pk])).content.decode()
    frozen.least_passed = 1
    with pytest.raises(FrozenDesignError):
        frozen.save()
    assert next_version(study=frozen, by=None).least_passed == 2


@pytest.mark.parametrize("wrong", [{"least_passed": 0}, {"kind": "chats"}, {"is_imported": True, "state": "closed"}])
def test_the_database_refuses_a_mark_where_there_is_nothing_to_mark(wrong: dict[str, Any]) -> None:
    one = marked(2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=one.pk).update(**wrong)


@pytest.mark.parametrize("fields", [{}, {"screened_out_at": NOW, "trained_at": NOW}])
def test_the_database_refuses_a_failure_that_ends_nothing(fields: dict[str, Any]) -> None:
    ann = member(launched(2), "ann")
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=ann.pk).update(failed_training=True, **fields)


def test_a_study_with_a_mark_does_not_become_one_of_chats() -> None:
    one = marked(1, 0)
    with pytest.raises(drafting.DesignError, match="Empty the pass mark"):
        drafting.change_study(study=one, by=None, kind="chats")


def test_a_design_file_carries_it_and_an_older_one_marks_nothing(tmp_path: Path) -> None:
    found = json.loads(files.exported(marked(2, name="Old")))
    assert found["least_passed"] == 2
    older = {name: value for name, value in found.items() if name != "least_passed"}
    for name, content in (("New", found), ("Older", older)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**content, "name": name}))
        call_command("create_study", "--design", str(path), verbosity=0)
        assert Study.objects.get(name=name).least_passed == (2 if name == "New" else None)


@pytest.mark.parametrize("given", [0, 101, "2", True, 1.5])
def test_a_design_file_with_another_value_is_refused(given: object) -> None:
    found = json.loads(files.exported(marked(2))) | {"least_passed": given}
    with pytest.raises(DocumentError, match="least_passed must be a whole number from 1 to 100, or null"):
        document.read(json.dumps(found).encode())


def test_the_plan_of_the_analysis_names_it_and_plans_without_one_keep_their_hash() -> None:
    plan = AnalysisPlan(metrics=(KEYS[0],), contrasts=(("alpha", "beta"),), raters=3, backgrounds=3).as_json()
    one, other = marked(2, analysis_plan=plan), marked(None, analysis_plan=plan, name="Unmarked")
    said = "A rater who scores fewer than 2 of 3 training items as expected is screened out before the first rating."
    assert all(said in texts(plan_document(one))[form] for form in ("osf", "aspredicted"))
    assert not {"least_passed", "training_items"} & plan_document(other).keys()
    assert launch.launch(study=one, by=None).plan_sha256 == hash_of_plan(Study.objects.get(pk=one.pk))


# --- the record ------------------------------------------------------------------------------------------


@pytest.fixture
def recorded() -> Study:
    """Ann passed and rated everything, Bob and Cem failed, Dan practises; Eve failed the attention checks."""
    one = marked(2, most_lapses=0, counts_screened_out=True)
    one = launch.launch(study=one, by=None)
    ann, bob, cem, dan, eve = (member(one, name) for name in ("ann", "bob", "cem", "dan", "eve"))
    for rater, values in ((ann, (4, 4, 1)), (bob, (4, 1, 1)), (cem, (1, 1, 1)), (dan, (4,)), (eve, (4, 4, 4))):
        practise(rater, *values)
    for rater in (ann, eve):
        rater_stage.finish_practice(membership=fresh(rater), now=NOW)
        rate_all(fresh(rater))
    membership_changes.screen_out(membership=eve, lapses=1, now=NOW)
    return Study.objects.get(pk=one.pk)


def test_text_figure_and_checklist_tell_failed_training_from_failed_checks(recorded: Study) -> None:
    check_methods(recorded)
    written = methods_text(recorded)
    rule = "A rater who scores fewer than 2 of 3 training items as expected at the first try is screened out before"
    assert rule in written
    assert "1 was screened out by attention checks" in written
    assert "2 were screened out by the pass mark of the training" in written
    flow = flow_of(recorded)
    assert {end: raters.number for end, raters in flow.ends.items() if raters.number} == {
        End.FAILED_TRAINING: 2, End.SCREENED_OUT: 1, End.FINISHED: 1, End.UNFINISHED: 1,
    }  # fmt: skip
    boxes = {step.label: step.number for step in steps(recorded, flow)[0]}
    assert boxes["Screened out by the pass mark of the training"] == 2
    assert boxes["Screened out by attention checks"] == 1
    rows = {row[1]: row[2] for row in flow_table(recorded, flow).rows}
    assert rows["screened out by the pass mark of the training"] == 2
    trained = answers(recorded, "heds")["3.2.4", ""]["answer"]
    assert rule in trained
    assert "2 raters were screened out by this rule." in trained
    # What the report says of ratings is about those who gave some.
    assert findings_of(recorded).screened_out == 1


def test_the_claims_notice_a_wrong_mark_and_a_wrong_failure(recorded: Study) -> None:
    Study.objects.filter(pk=recorded.pk).update(least_passed=3)
    with pytest.raises(AssertionError):
        check_methods(Study.objects.get(pk=recorded.pk))
    Study.objects.filter(pk=recorded.pk).update(least_passed=2)
    check_methods(Study.objects.get(pk=recorded.pk))
    recorded.memberships.filter(rater__username="ann").update(
        trained_at=None, screened_out_at=NOW, failed_training=True
    )
    with pytest.raises(AssertionError):
        check_methods(Study.objects.get(pk=recorded.pk))


def test_the_raters_page_has_each_raters_result(recorded: Study) -> None:
    client = logged_in("researcher")
    page = client.get(reverse("study_raters", args=[recorded.pk]), {"sort": "training"})
    shown = [(row.membership.rater.get_username(), row.practice) for row in page.context["page"]]
    assert [name for name, _ in shown] == ["cem", "bob", "dan", "ann", "eve"]
    assert dict(shown)["ann"] == Practice(2, 3, 3)
    assert dict(shown)["dan"] == Practice(1, 1, 3)
    assert page.content.decode().count("failed training</span>") == 2
    bob, eve = (recorded.memberships.get(rater__username=name) for name in ("bob", "eve"))
    of_bob = client.get(reverse("study_rater", args=[recorded.pk, bob.pk])).content.decode()
    assert "1 of 3 as expected at the first try" in of_bob
    assert "Screened out by the pass mark of the training" in of_bob
    assert "ratings still count" not in of_bob
    of_eve = client.get(reverse("study_rater", args=[recorded.pk, eve.pk])).content.decode()
    assert "Screened out for failed attention checks" in of_eve


@pytest.mark.parametrize("counts", [False, True])
def test_a_bundle_tells_them_apart_and_computes_the_report_again(recorded: Study, counts: bool) -> None:
    Study.objects.filter(pk=recorded.pk).update(counts_screened_out=counts)
    found = files_of(bundle_of(Study.objects.get(pk=recorded.pk)))
    assert said_by("study_report", recorded.name, "--json")["failed_training"] == {"raters": 2}
    rows = list(csv.DictReader(io.StringIO(found["data/raters.csv"].decode())))
    columns = [(row["failed_training"], row["screened_out"], row["set_aside"]) for row in rows]
    left = ["", "failed training", "failed training", "", "screened out"]
    assert columns == [
        (str(number in (1, 2)), str(number == 4), "" if counts else why) for number, why in enumerate(left)
    ]
    assert json.loads(found["design.json"])["least_passed"] == 2


def test_simulated_raters_pass_and_rate_everything() -> None:
    one = launched(3, is_simulated=True)
    assert simulation.simulate(study=one, raters=2) == 12
    assert simulation.simulate(study=one, raters=2) == 0
    assert not one.memberships.screened_out().exists()
    for rater in one.memberships.select_related("study__rubric"):
        assert practice_of(rater) == Practice(3, 3, 3)
        assert rater.trained_at is not None
    check_methods(one)


# --- at once ---------------------------------------------------------------------------------------------

AT_ONCE = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")


def at_once(*acts: Callable[[], Any]) -> list[Exception]:
    """Do all of it in threads of their own; gives what failed."""
    failed: list[Exception] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    return failed


def submitting(lesson: Assignment, rater: Membership) -> Callable[[], Any]:
    return lambda: queue.submit(
        rater.rater, lesson.token, submission_id=lesson.submission_id, answer=even(WRONG), now=NOW
    )


@AT_ONCE
@pytest.mark.django_db(transaction=True)
def test_two_last_items_submitted_at_once_do_not_miss_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = member(launched(2, 2), "ann")
    both, real = threading.Barrier(2), membership_changes.practice_of

    def slowly(membership: Membership) -> Practice:
        """Both have read before either stores its submit, unless one waits for the other as it should."""
        found = real(membership)
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        return found

    monkeypatch.setattr(membership_changes, "practice_of", slowly)
    assert at_once(*(submitting(lesson, ann) for lesson in rater_stage.lessons(fresh(ann)))) == []
    assert fresh(ann).failed_training
    assert AuditEvent.objects.filter(verb=AuditVerb.RATER_SCREENED_OUT).count() == 1


@AT_ONCE
@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_at_the_last_item_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = member(launched(2, 2), "ann")
    [first, second] = rater_stage.lessons(fresh(ann))
    submitting(first, ann)()
    judging, real = threading.Event(), membership_changes.screen_after_practice

    def slowly(membership: Membership, **fields: Any) -> bool:
        judging.set()
        # Long enough for the withdrawal to reach the locks.
        sleep(0.5)
        return real(membership, **fields)

    def withdraw() -> None:
        assert judging.wait(10)
        membership_changes.withdraw(membership=ann, by=None)

    monkeypatch.setattr(membership_changes, "screen_after_practice", slowly)
    assert at_once(submitting(second, ann), withdraw) == []
    left = Membership.objects.get(pk=ann.pk)
    assert left.failed_training
    assert left.withdrawn_at is not None
