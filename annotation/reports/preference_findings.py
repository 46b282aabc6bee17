"""What the report of a study of pairs shows, computed once from the decisions that are stored."""

from dataclasses import replace

from annotation.models import Item, Study
from annotation.reports.caching import once
from annotation.reports.pair_findings import Decision, PairItems, PairRow, Preferences, pair_findings, placed_pairs
from annotation.reports.repeats import own_agreement
from annotation.reports.scores import counted_members, rated
from annotation.reports.texts import study_texts


def preferences_of(study: Study) -> Preferences:
    """The study's preferences, cached per set of counted ratings."""
    found = once("preferences", study, lambda: _compute(study))
    return replace(found, own_agreement=own_agreement(study)) if study.hidden_repeats else found


def _compute(study: Study) -> Preferences:
    ratings = rated(
        study, counted_members(study), ("assignment__membership_id", "assignment__is_flipped"), ("metric", "value")
    )
    decisions = [
        Decision(item, member, metric, value, is_flipped, rating)
        for (item, rating, member, is_flipped), given in ratings
        for *_, metric, value in given
    ]
    screened_out = study.memberships.screened_out().count()
    found = pair_findings(pair_items(study), study.rubric.metric_list(), decisions, study.seed, screened_out)
    return replace(found, texts=study_texts(study))


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
