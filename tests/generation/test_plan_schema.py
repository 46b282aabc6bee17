"""One schema of a plan's fields: pages, API and command line ask for the same within the same limits."""

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

import pytest

from generation.commandline import judge_commands, plan_commands, trial_commands
from generation.judgements.judge_input import JudgePlan
from generation.plans import schema
from generation.plans.plan_input import RunPlan, SelectionPlan

LIMITED = [
    schema.SEED, schema.TEMPERATURE, schema.MAX_TOKENS, schema.TOKEN_BUDGET, schema.KEEP_SHARE, schema.SAMPLE,
    schema.BACKGROUNDS,
]  # fmt: skip


@pytest.mark.parametrize("field", LIMITED, ids=lambda field: field.name)
def test_page_and_api_have_the_same_limits(field: Any) -> None:
    page, api = field.form_field(), field.api_field()
    assert (page.min_value, page.max_value) == (api.min_value, api.max_value) == (field.least, field.most)


def test_a_page_asks_for_a_cent_at_least_and_a_script_may_say_nothing_at_all() -> None:
    assert schema.BUDGET.form_field().min_value == Decimal("0.01")
    assert schema.BUDGET.api_field().min_value == 0


def test_what_is_said_at_one_place_replaces_what_the_schema_says() -> None:
    assert schema.SEED.form_field(help_text="Other words.").help_text == "Other words."
    assert schema.REPEATS.api_field(min_value=None).min_value is None
    assert parsed(schema.MAX_TOKENS, usual=2000).max_tokens == 2000


def parsed(field: Any, *given: str, **changes: Any) -> Any:
    parser = ArgumentParser()
    field.add_option(parser, **changes)
    return parser.parse_args(given)


def test_an_option_reads_what_the_field_holds() -> None:
    assert parsed(schema.BUDGET, "--budget", "0.50").budget == Decimal("0.50")
    assert parsed(schema.SAMPLE, "--dialogues", "3").sample == 3
    assert parsed(schema.USE_BATCH, "--batch").use_batch is True
    assert parsed(schema.USE_BATCH).use_batch is False
    assert parsed(schema.KEEP_SHARE).keep_share == 0.8


@pytest.mark.parametrize(
    ("commands", "action", "plan"),
    [(plan_commands, "create", RunPlan), (judge_commands, "judge", JudgePlan), (trial_commands, "create", None)],
    ids=["run create", "run judge", "trial create"],
)
def test_every_command_that_plans_offers_what_its_plan_takes(commands: Any, action: str, plan: Any) -> None:
    actions = ArgumentParser().add_subparsers()
    commands.register(actions)
    offered = {one.dest for one in actions.choices[action]._actions}
    asked = set(schema.names((schema.SEED, *schema.ASKED_FIELDS)))
    assert asked <= offered
    if plan is RunPlan:
        assert set(schema.names((*schema.SELECTION_FIELDS, *schema.PLANNED_FIELDS))) <= offered
        assert set(schema.names(schema.SELECTION_FIELDS)) == set(SelectionPlan().fields)
    if plan is not None:
        assert asked | {schema.USE_BATCH.name} <= set(plan().fields)
