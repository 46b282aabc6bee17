"""What the report of a study of pairs shows, computed once from the decisions that are stored."""

from dataclasses import replace

from annotation.models import Item, Rating, Study
from annotation.reports.caching import key_of
from annotation.reports.pair_findings import (
    FURTHER_STEPS,
    STEPS_A_METRIC,
    Decision,
    PairItems,
    PairRow,
    Preferences,
    pair_findings,
    placed_pairs,
)
from annotation.reports.repeats import own_agreement, repeats_read
from annotation.reports.scores import counted_members, rated
from annotation.reports.texts import study_texts
from core.results import Result, Size
from core.steps import Steps

# Reading ratings, repeats, and texts.
OWN_STEPS = 3
# Seconds that each takes where up to a dozen raters compared, as measured.
A_SCORE, AN_ITEM = 1e-4, 3e-4


def preferences_of(study: Study, steps: Steps | None = None) -> Preferences:
    """The study's preferences, kept per set of counted ratings; computed now if there are none."""
    return preferences_result(study).here(steps)


def preferences_result(study: Study) -> Result[Preferences]:
    return Result(
        key=lambda: key_of("preferences", study, also=repeats_read(study)),
        compute=lambda step: _compute(study, step),
        size=lambda: _size(study),
        task="annotation.compute_preferences",
        arguments={"study": study.pk},
    )


def _size(study: Study) -> Size:
    metrics = len(study.rubric.metric_list())
    scores = Rating.objects.counted().for_study(study).count() * metrics
    return Size(scores * A_SCORE + study.items.count() * AN_ITEM, STEPS_A_METRIC * metrics + FURTHER_STEPS + OWN_STEPS)


def _compute(study: Study, step: Steps) -> Preferences:
    step("Reading ratings")
    members = counted_members(study)
    ratings = rated(study, members, ("assignment__membership_id", "assignment__is_flipped"), ("metric", "value"))
    decisions = [
        Decision(item, member, metric, value, is_flipped, rating)
        for (item, rating, member, is_flipped), given in ratings
        for *_, metric, value in given
    ]
    metrics, screened_out = study.rubric.metric_list(), study.memberships.screened_out_by_checks().count()
    found = pair_findings(pair_items(study), metrics, decisions, study.seed, members, screened_out, step)
    step("Raters with themselves")
    agreed = own_agreement(study)
    step("Texts")
    return replace(found, own_agreement=agreed, texts=study_texts(study))


def pair_items(study: Study) -> PairItems:
    """The study's items by primary key."""
    versions = {row.slug: row.symbol for row in study.versions.order_by("position", "slug")}
    rows = (
        Item.objects.filter(study=study, purpose=Item.Purpose.RATED, other__isnull=False)
        .order_by("pk")
        .values_list(
            *("pk", "background_id", "dialogue__version_id", "other__version_id"),
            *("dialogue__is_demo", "other__is_demo"),
        )
    )
    return placed_pairs(versions, [PairRow(*row) for row in rows])
