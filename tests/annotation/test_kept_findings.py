"""What is kept of a study's findings holds for exactly what was read, not for what merely adds up to the same."""

from typing import Any

import pytest
from django.db.models import Count, Max, Sum
from django.utils import timezone

from annotation.models import Membership, Profile, Rating, Study
from annotation.monitoring.adjudication import disputed_spreads
from annotation.monitoring.progress import live_agreement
from annotation.monitoring.raters import rater_rows
from annotation.rating import membership_changes
from annotation.reports.caching import once
from annotation.reports.findings import Findings
from annotation.reports.loading import findings_of
from annotation.restructuring.boundary_agreement import shared_dialogues
from dialogues.corpus_figures import figures_result
from dialogues.models import Corpus, Version
from tests.annotation import handed_in
from tests.annotation.report_machine import nothing_kept, shown
from tests.annotation.setting import NOW, corpus, dialogue, even, member, rate, rubric, study, user

pytestmark = pytest.mark.django_db
VALUES = {"ann": 1, "bob": 5, "cem": 3}


@pytest.fixture
def people() -> dict[str, Membership]:
    """Raters of two dialogues whose ratings stand in the order ann, bob, bob, ann, cem, cem: the numbers of Ann's add
    up to those of Bob's."""
    one = study(of=corpus(2, ("alpha",)), versions=("alpha",))
    found = {name: member(one, name) for name in VALUES}
    for name in ("ann", "bob", "bob", "ann", "cem", "cem"):
        rate(found[name], even(VALUES[name]))
    return found


def mean(found: Findings) -> float:
    one = found.means["natural", "alpha"]
    assert one is not None
    return one.plain


def put_out(rater: Membership) -> None:
    membership_changes.exclude(membership=rater, reason="a reason", by=None)


def sums(one: Study) -> dict[str, Any]:
    return Rating.objects.counted().for_study(one).aggregate(Count("pk"), Max("pk"), Sum("pk"))


def test_two_sets_of_ratings_that_add_up_to_the_same_have_a_report_each(people: dict[str, Membership]) -> None:
    one = people["ann"].study
    put_out(people["ann"])
    without_ann = sums(one)
    assert mean(findings_of(one)) == 4
    membership_changes.reinstate(membership=people["ann"], by=None)
    put_out(people["bob"])
    assert sums(one) == without_ann
    assert mean(findings_of(one)) == 2


def test_every_other_finding_follows_the_same_exchange(people: dict[str, Membership]) -> None:
    one = people["ann"].study
    put_out(people["ann"])
    before = [live_agreement(one), disputed_spreads(one, ""), rater_rows(one), shown(one)]
    membership_changes.reinstate(membership=people["ann"], by=None)
    put_out(people["bob"])
    kept = shown(one)
    assert kept != before[-1]
    with nothing_kept():
        assert kept == shown(one)


def test_what_is_kept_for_one_question_is_not_shown_for_another(people: dict[str, Membership]) -> None:
    one = people["ann"].study
    rating = Rating.objects.filter(assignment__membership=people["bob"]).first()
    assert rating is not None
    rating.scores.filter(metric="natural").update(value=1)
    assert disputed_spreads(one, "natural") != disputed_spreads(one, "engaging")


def rename(one: Study, ann: Membership) -> None:
    Profile.objects.filter(user=ann.rater).update(pseudonym="another name")


def screen_out(one: Study, ann: Membership) -> None:
    # In a study that counts her all the same: only the number of those screened out changes.
    Study.objects.filter(pk=one.pk).update(counts_screened_out=True)
    membership_changes.screen_out(membership=ann, lapses=1, now=NOW)


def simulated(one: Study, ann: Membership) -> None:
    Profile.objects.filter(user=ann.rater).update(is_simulated=True)


def other_seed(one: Study, ann: Membership) -> None:
    Study.objects.filter(pk=one.pk).update(seed=99)


def other_symbol(one: Study, ann: Membership) -> None:
    Version.objects.filter(pk="alpha").update(symbol="A")


def other_questions(one: Study, ann: Membership) -> None:
    Study.objects.filter(pk=one.pk).update(rubric=rubric("natural"))


@pytest.mark.parametrize("change", [rename, screen_out, simulated, other_seed, other_symbol, other_questions])
def test_whatever_a_report_reads_besides_ratings_makes_it_anew(people: dict[str, Membership], change: Any) -> None:
    one = people["ann"].study
    assert once("found", one, lambda: "before") == "before"
    assert once("found", one, lambda: "again") == "before"
    change(one, people["ann"])
    assert once("found", Study.objects.get(pk=one.pk), lambda: "after") == "after"


def test_a_kept_agreement_on_message_ends_is_of_these_texts_and_no_others() -> None:
    chats = corpus(1, ("alpha", "gamma"))
    gamma = dialogue(chats, "g", "gamma", "words")
    raters = [user(name) for name in ("ann", "bob", "cat", "dan", "eve")]
    twice = ({"op": "split", "at": 0, "offset": 8}, {"op": "merge", "at": 3})
    # By their numbers, the first and fourth add up to the second and third.
    rows = [
        handed_in.submitted(gamma, raters[0], *twice),
        handed_in.submitted(gamma, raters[1], {"op": "merge", "at": 2}, {"op": "undo"}),
        handed_in.submitted(gamma, raters[2], *twice),
        handed_in.submitted(gamma, raters[3], *twice),
        handed_in.submitted(gamma, raters[4], *twice),
    ]
    same_time = timezone.now()
    type(rows[0]).objects.update(changed_at=same_time)
    state = type(rows[0]).State

    def with_only(*kept: int) -> float | None:
        for number, row in enumerate(rows):
            chosen = state.SUBMITTED if number in kept else state.RETURNED
            type(row).objects.filter(pk=row.pk).update(state=chosen)
        (one,) = shared_dialogues()
        return one.values["B"]

    assert with_only(0, 3, 4) == 1
    apart = with_only(1, 2, 4)
    assert apart is not None
    assert apart < 1


def test_a_corpus_of_the_same_number_in_a_restored_database_has_figures_of_its_own() -> None:
    chats = corpus(2, ("alpha",))
    before = figures_result(chats, "whitespace").here()
    for number, row in enumerate(chats.dialogues.order_by("pk")):
        again = dialogue(Corpus.objects.create(name=f"Aside {number}"), "x", "alpha", "many more words than before")
        messages = {"messages": again.messages, "whitespace_tokens": again.whitespace_tokens}
        chats.dialogues.filter(pk=row.pk).update(**messages)
    Corpus.objects.filter(pk=chats.pk).update(created_at=NOW)
    after = figures_result(Corpus.objects.get(pk=chats.pk), "whitespace").here()
    assert after.versions[0].words != before.versions[0].words


def test_a_version_that_was_renamed_is_not_shown_by_its_old_symbol() -> None:
    chats = corpus(1, ("alpha",))
    assert figures_result(chats, "whitespace").here().versions[0].symbol == "α"
    Version.objects.filter(pk="alpha").update(symbol="A")
    assert figures_result(chats, "whitespace").here().versions[0].symbol == "A"
