"""A training run as tables, figures and a model card: what its page, its files and `training card` show."""

from collections import Counter
from typing import Any

from core.tables import Column, Table
from generation.models import TrainingRun
from generation.training.checked import checked_table
from generation.training.curves import Point
from generation.training.labels import labels_of
from generation.training.model_card import Card, model_card
from generation.training.recipe import Recipe
from generation.training.registering import tuned_of
from generation.training.run_progress import evaluation_curve, training_curve
from generation.training.serving import servers

LOSSES_SHOWN = 40


def run_tables(run: TrainingRun) -> dict[str, Table]:
    """By slug; a table without a row is left out."""
    labels = labels_of(run.training_set).words()
    tables = [checked_table(run.checked, labels=labels), loss_table(training_curve(run), evaluation_curve(run))]
    return {table.slug: table for table in tables if table.rows}


def loss_table(training: list[Point], evaluation: list[Point]) -> Table:
    """Both curves as numbers, for those who cannot see them and for other programs."""
    training_at, evaluation_at = dict(training), dict(evaluation)
    steps = sorted(training_at.keys() | evaluation_at.keys())
    return Table(
        slug="losses",
        caption="Loss by step",
        columns=(Column("Step"), Column("Training", decimals=4), Column("Evaluation", decimals=4)),
        rows=tuple((step, training_at.get(step), evaluation_at.get(step)) for step in steps),
        notes=("Mean negative log likelihood of a trained token, in nats. Of long runs some steps are shown.",),
    )


def card_of(run: TrainingRun) -> str:
    """The model card as Markdown."""
    training_set, tuned = run.training_set, tuned_of(run)
    recipe, checked = Recipe.of(training_set.recipe), checked_table(run.checked)
    return model_card(
        Card(
            name=run.name,
            base=run.base,
            base_licence=run.base_licence,
            method=run.get_method_display(),
            set_name=str(training_set),
            set_sha256=training_set.sha256,
            delimiter=recipe.delimiter,
            system=recipe.system,
            data=_data(run),
            labels=labels_of(training_set).words(),
            notice=training_set.corpus.privacy_notice,
            settings={**run.parameters, "steps": run.steps},
            environment=run.environment,
            training=training_curve(run),
            evaluation=evaluation_curve(run),
            checked=checked if checked.rows else None,
            servers=servers(tuned) if run.folder else (),
            is_adapter=tuned.is_adapter,
        )
    )


def _data(run: TrainingRun) -> dict[str, Any]:
    training_set = run.training_set
    recipe = Recipe.of(training_set.recipe)
    splits = Counter(training_set.items.values_list("split", flat=True))
    return {
        "corpus": training_set.corpus.name,
        "licence": training_set.corpus.licence,
        "versions": ", ".join(recipe.wanted_versions),
        "sides": ", ".join(map(str, recipe.sides)),
        "dialogues by split": ", ".join(f"{name} {count:,}" for name, count in sorted(splits.items())),
        "written by": ", ".join(sorted({name for name in _writers(run) if name})),
        "seed": recipe.seed,
    }


def _writers(run: TrainingRun) -> list[str]:
    return list(run.training_set.items.order_by().values_list("dialogue__written_by", flat=True).distinct())
