"""What a report adds without a plan, as JSON: learning over time, ACMC against naturalness, other choices of raters."""

from typing import Any

from annotation.reports.exclusions import OtherRaters
from annotation.reports.findings import Findings
from annotation.reports.learning import Learning
from annotation.reports.naturalness import Correlated, Naturalness
from core.intervals import Estimate


def exploratory_json(found: Findings) -> dict[str, Any]:
    """By metric key and version slug; a part that the report has no table of is left out."""
    return {
        **({"learning": _learning(found.learning)} if found.learning else {}),
        **({"naturalness": _naturalness(found, found.naturalness)} if found.naturalness else {}),
        **({"other_raters": [_other(found, one) for one in found.other_raters]} if found.other_raters else {}),
    }


def _learning(learned: Learning) -> dict[str, Any]:
    """The quarters in their order."""
    quarters = [
        {
            "ratings": quarter.ratings,
            "seconds": _estimate(quarter.seconds),
            "means": {key: _estimate(mean) for key, mean in quarter.means.items()},
        }
        for quarter in learned.quarters
    ]
    return {"raters": learned.raters, "quarters": quarters}


def _naturalness(found: Findings, natural: Naturalness) -> dict[str, Any]:
    within = {found.versions[place].slug: _correlated(one) for place, one in natural.within.items()}
    return {"metric": natural.metric, "over_all": _correlated(natural.over_all), "versions": within}


def _correlated(one: Correlated) -> dict[str, Any]:
    coefficients = {name: _estimate(value) for name, value in one.coefficients.items()}
    return {"dialogues": one.dialogues, "backgrounds": one.backgrounds, "coefficients": coefficients}


def _other(found: Findings, others: OtherRaters) -> dict[str, Any]:
    """The differences had these raters counted, second version minus first."""
    differences = [
        {
            "metric": found.metrics[metric].key,
            "first": found.versions[first].slug,
            "second": found.versions[second].slug,
            **difference._asdict(),
        }
        for (metric, (first, second)), difference in others.differences.items()
    ]
    return {"label": others.label, "raters": others.raters, "ratings": others.ratings, "differences": differences}


def _estimate(found: Estimate | None) -> dict[str, Any] | None:
    return found._asdict() if found else None
