"""Part 4 of the Human Evaluation Datasheet: what a study asks about one metric, and how the answers are used."""

from annotation.checklists.entries import Answer
from annotation.design.methods.analyses import agreement, has_agreement, primary
from annotation.models import Study
from annotation.monitoring.progress import MetricAgreement
from dialogues.rubric import Metric

NOT_REPEATED = "IntraAA not assessed"


def of_metric(study: Study, metric: Metric, found: MetricAgreement | None) -> dict[str, Answer]:
    """The answers by number; `found` is the agreement that the study's page shows, None before the first rating."""
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
        "4.3.12.1": Answer(NOT_REPEATED),
        "4.3.12.2": Answer(NOT_REPEATED),
        "4.3.2": Answer(metric.definition),
        "4.3.5": Answer(choices=("1. Multiple-choice options",)),
        "4.3.7": Answer(asked if relative else f"{asked} ({words})"),
    }


def _aggregation(study: Study) -> str:
    if study.compares:
        return "Wins, ties and losses by pair of versions; Davidson’s (1970) model with ties and sides."
    return "Means of all scores by version, with intervals that allow for who scored what."


def _agreement_value(found: MetricAgreement | None) -> str:
    if found is None or found.ordinal.value is None:
        return ""
    ordinal = found.ordinal
    interval = "" if ordinal.low is None or ordinal.high is None else f" [{ordinal.low:.2f}, {ordinal.high:.2f}]"
    return f"Krippendorff’s ordinal α {ordinal.value:.2f}{interval}, over {found.n:,} items with two ratings or more."
