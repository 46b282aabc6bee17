"""Part 4 of the Human Evaluation Datasheet: what a study asks about one metric, and how the answers are used."""

from annotation.checklists.entries import Answer
from annotation.design.methods.analyses import agreement, has_agreement, primary
from annotation.design.plan_text import RESAMPLED
from annotation.models import Study
from annotation.monitoring.progress import MetricAgreement
from annotation.reports.agreement import Estimate
from annotation.reports.notes import FEW_BACKGROUNDS
from annotation.reports.own_agreement import OwnAgreement
from annotation.reports.repeat_tables import FEWEST
from core.numbers import count_in_words
from dialogues.rubric import Metric

NOT_REPEATED = "IntraAA not assessed"
REPEATED = (
    "Hidden repeats: Krippendorff’s ordinal α (2011) over pairs of scores that a rater gave to the same item, "
    f"with intervals from {RESAMPLED}."
)


def of_metric(
    study: Study, metric: Metric, found: MetricAgreement | None, own: OwnAgreement | None
) -> dict[str, Answer]:
    """The answers by number.

    `found` is the agreement that the study's page shows, `own` that of raters with themselves; both are None before
    the first rating, `own` also in a study without hidden repeats.
    """
    scale = study.rubric.scale
    values = ["left is better", "same", "right is better"] if study.compares else [str(one) for one in scale.values()]
    relative = study.compares
    known = {
        "4.2.1": Answer(choices=("2. Subjective",)),
        "4.2.2": Answer(choices=("2. Relative" if relative else "1. Absolute",)),
        "4.2.3": Answer(choices=("1. Intrinsic",)),
        "4.3.1.1": Answer(metric.name),
        "4.3.3": Answer(str(len(values))),
        "4.3.4": Answer(", ".join(values)),
        "4.3.6": Answer("N/A"),
        "4.3.8": Answer(
            choices=(
                "3. Relative quality estimation (including ranking)" if relative else "2. Direct quality estimation",
            )
        ),
        "4.3.9": Answer(_aggregation(study)),
        "4.3.10": Answer(" ".join(primary(study))),
        "4.3.11.1": Answer(agreement(study)),
        "4.3.11.2": Answer(_agreement_value(found) if has_agreement(study) else "InterAA not assessed"),
    }
    if study.is_imported:
        return known
    words = " · ".join(metric.points) if metric.points else f"{metric.low} … {metric.high}"
    asked = f"{metric.name}: {metric.definition}"
    return known | {
        "4.3.12.1": Answer(REPEATED if study.hidden_repeats else NOT_REPEATED),
        "4.3.12.2": Answer(_own_value(own) if study.hidden_repeats else NOT_REPEATED),
        "4.3.2": Answer(metric.definition),
        "4.3.5": Answer(choices=("1. Multiple-choice options",)),
        "4.3.7": Answer(asked if relative else f"{asked} ({words})"),
    }


def _aggregation(study: Study) -> str:
    if study.compares:
        return "Wins, ties and losses by pair of versions; Davidson’s (1970) model with ties and sides."
    return "Means of all scores by version, with intervals that allow for who scored what."


def _agreement_value(found: MetricAgreement | None) -> str:
    if found is None:
        return ""
    return _alpha(found.ordinal, f"{found.n:,} items with two ratings or more", found.few_backgrounds)


def _own_value(own: OwnAgreement | None) -> str:
    if own is None or own.pairs < FEWEST:
        return ""
    over = f"{own.pairs:,} pairs of scores by {count_in_words(own.raters, 'rater')}"
    return _alpha(own.agreement.estimates["alpha_ordinal"], over, own.agreement.has_few_clusters)


def _alpha(found: Estimate, over: str, few_backgrounds: bool) -> str:
    """One value with its interval; empty where it is undefined, which leaves a gap to fill."""
    if found.value is None:
        return ""
    interval = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    said = f"Krippendorff’s ordinal α {found.value:.2f}{interval}, over {over}."
    return f"{said} {FEW_BACKGROUNDS}" if few_backgrounds else said
