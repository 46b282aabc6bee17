"""The methods text and the lead say nothing of any study that SQL of its own contradicts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from annotation.chats.plan import ChatPlan
from annotation.design import launch
from annotation.design.flow import End, Fate, flow_of
from annotation.design.methods import methods_text
from annotation.models import Rating
from annotation.reports.flow_figure import flow_table, steps
from annotation.reports.scores import counted_members, counted_ratings
from generation.models import Shutdown
from tests.annotation.chat_designs import chat_draft
from tests.annotation.claims.lead import check_lead
from tests.annotation.claims.methods import check_methods
from tests.annotation.claims.preference_lead import check_preference_lead
from tests.annotation.setting import ANSWER, TWO, corpus, draft, member, rate, rate_all, study
from tests.annotation.study_worlds import KINDS, Plan, World, plans
from tests.examples import IS_LONG

pytestmark = pytest.mark.django_db
# The long form tries at least 200 studies.
ANY, SCORED = (160, 60) if IS_LONG else (11, 4)
SUPPRESSED = [*HealthCheck]


@contextmanager
def world(plan: Plan) -> Iterator[World]:
    """Made, and gone afterwards."""
    with transaction.atomic():
        made = World(plan)
        yield made
        transaction.set_rollback(True)


@settings(max_examples=ANY, deadline=None, suppress_health_check=SUPPRESSED)
@given(plans(*KINDS))
def test_no_sentence_of_a_methods_text_contradicts_the_rows(plan: Plan) -> None:
    with world(plan) as made:
        check_methods(made.study)
        made.run()
        check_methods(made.study)
        check_flow(made)


@settings(max_examples=SCORED, deadline=None, suppress_health_check=SUPPRESSED)
@given(plans("scores"))
def test_no_sentence_of_a_lead_contradicts_the_scores(plan: Plan) -> None:
    with world(plan) as made:
        made.run()
        check_lead(made.study)
        check_methods(made.study)


@settings(max_examples=SCORED, deadline=None, suppress_health_check=SUPPRESSED)
@given(plans("pairs"))
def test_no_sentence_of_a_lead_of_pairs_contradicts_the_decisions(plan: Plan) -> None:
    with world(plan) as made:
        made.run()
        check_preference_lead(made.study)


def check_flow(made: World) -> None:
    """The figure and the table have the numbers of the text, and leave nobody and nothing out."""
    flow = flow_of(made.study)
    assert flow.joined == made.study.memberships.count()
    rated = Rating.objects.for_study(made.study).filter(assignment__item__purpose="rated")
    assert flow.submitted == rated.count()
    assert flow.counted == counted_ratings(made.study, counted_members(made.study)).count()
    assert sum(got * number for got, number in flow.per_item.items()) == flow.counted
    for part in steps(made.study, flow):
        assert all(step.number >= 0 for step in part)
        assert part[-1].number in (flow.raters, flow.counted)
    rows = [row for row in flow_table(made.study, flow).rows if row[0] == "Raters"]
    assert sum(int(str(row[2])) for row in rows[1:]) == flow.joined
    assert sum(int(str(row[3])) for row in rows[1:]) == flow.raters


def test_a_draft_has_no_methods_yet_and_its_text_says_so() -> None:
    one = draft(of=corpus(2, TWO), versions=TWO)
    assert methods_text(one) == "The study is a draft: nobody can rate in it, and its design may still change.\n"


def test_the_text_of_a_study_that_was_closed_early_says_what_was_attained() -> None:
    one = study(2, of=corpus(2, TWO), versions=TWO)
    assert "Nobody has joined. Of every item" not in methods_text(one)
    assert "Nobody has joined." in methods_text(one)
    assert "No rating counts." in methods_text(one)
    rate(member(one, "ann"), ANSWER)
    written = methods_text(one)
    assert "1 rater joined: 1 had not finished." in written
    assert "Items have 0 to 1 ratings that count (median 0); 0 of 4 have the number asked for." in written
    assert "1 of 1 submitted rating counts." in written


def test_a_system_whose_model_will_be_gone_is_named_with_the_day() -> None:
    one = launch.launch(study=chat_draft(of=corpus(2), chat_plan=ChatPlan(practice=False).as_json()), by=None)
    tuned, plain = one.systems.select_related("endpoint")
    check_methods(one)
    assert "announced" not in methods_text(one)
    told = {"told_at": datetime(2026, 3, 1, tzinfo=UTC)}
    for model, address, month in (
        (tuned.endpoint.model, tuned.endpoint.base_url, 1),
        (tuned.endpoint.model, "https://elsewhere.example/v1", 2),
        ("another", plain.endpoint.base_url, 3),
    ):
        Shutdown.objects.create(model=model, address=address, day=date(2027, month, 6), **told)
    check_methods(one)
    said = f"The endpoint of {tuned} announced that it shuts {tuned.endpoint.model} down on 6 January 2027."
    assert methods_text(one).count("announced") == methods_text(one).count(said) == 1


def test_who_has_had_all_their_chats_and_whose_account_is_gone_have_finished() -> None:
    one = study(of=corpus(2, TWO), versions=TWO)
    ann = member(one, "ann")
    rate_all(ann)
    ann.rater.is_active = False
    ann.rater.save(update_fields=["is_active"])
    assert flow_of(one).ends[End.FINISHED] == (1, 1)
    assert flow_of(one).fates[Fate.COUNTED] == 4
