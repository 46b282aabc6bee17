"""What a report says first, as JSON and on a terminal: its lead, departures from the plan, and the primary analysis."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from annotation.design.plan import FAMILIES
from annotation.design.plan_record import plan_of
from annotation.models import Study
from annotation.reports.agreement import Agreement
from annotation.reports.difference_tables import MarginClaim, margin_claims
from annotation.reports.findings import Findings
from annotation.reports.found import Found
from annotation.reports.models.equivalence import CONFIDENCE
from annotation.reports.models.intervals import Target, Unfit
from annotation.reports.plan_departures import departures
from annotation.reports.targets import coefficient_speaks_of
from annotation.reports.whole import lead_of


def first_lines(study: Study, found: Found, *, dashes: bool) -> Iterator[str]:
    """For a terminal: what was found, then where the study departed from its plan."""
    if found.ratings and (sentences := lead_of(study, found, dashes=dashes)):
        yield from ("What was found", *sentences, "")
    if left := departures(study):
        yield from ("Plan and departures", *(f"- {sentence}" for sentence in left), "")


def lead_json(study: Study, found: Found, *, dashes: bool) -> dict[str, Any]:
    """The same as JSON."""
    lead = lead_of(study, found, dashes=dashes) if found.ratings else []
    return {"lead": lead, "departures": departures(study)}


def primary_json(study: Study, found: Findings) -> dict[str, Any]:
    """Whom the primary analysis of scores speaks of, and which of its p values are adjusted together by Holm's method;
    with the plan's claims of being no worse, where it makes any."""
    plan = plan_of(study)
    family = plan.family if plan and plan.family else "all"
    tests = sum(p is not None for p in found.adjusted.values())
    about = {"target": found.target, "family": family, "family_in_words": FAMILIES[family], "tests": tests}
    if plan is None or plan.margin is None:
        return {"primary_analysis": about}
    claims = [_claim_json(claim) for claim in margin_claims(plan, found)]
    margin = {"margin": plan.margin, "target": found.target, "confidence": CONFIDENCE, "claims": claims}
    return {"primary_analysis": about, "no_worse": margin}


def _claim_json(claim: MarginClaim) -> dict[str, Any]:
    """Of second minus first, the second being claimed no worse."""
    metric, first, second = claim.key
    tested = claim.tested
    values = {} if tested is None else {**asdict(tested), "p": tested.p}
    return {"metric": metric, "first": first, "second": second, "verdict": claim.verdict, "n": claim.n, **values}


def severity_json(found: Findings) -> dict[str, Any]:
    """By metric and rater, points above the mean of all raters by the mixed model; or why there is no model."""
    return {key: _severity(found, key) for key in found.analyses}


def _severity(found: Findings, key: str) -> dict[str, Any]:
    one = found.analyses[key]
    if isinstance(one.mixed, Unfit):
        return {"unfit": one.mixed.reason}
    rows = zip(one.numbers, one.mixed.severity, one.scores_by_rater, strict=True)
    return {
        found.names[number]: {
            "value": effect.value,
            "n": n,
            "low": effect.low,
            "high": effect.high,
            "no_interval": effect.no_interval,
            "target": effect.target if effect.low is not None else None,
        }
        for number, effect, n in rows
    }


def agreement_json(agreed: Agreement, *, is_own: bool = False) -> dict[str, Any]:
    """Every coefficient with whom its interval speaks of, None without an interval; see `coefficient_speaks_of`.

    `few_backgrounds` says whether intervals from resamples rest on too few.
    """
    estimates = {}
    for name, one in agreed.estimates.items():
        target: Target | None = coefficient_speaks_of(name, is_own=is_own) if one.low is not None else None
        estimates[name] = {**asdict(one), "target": target}
    return {**asdict(agreed), "estimates": estimates, "few_backgrounds": agreed.has_few_clusters}
