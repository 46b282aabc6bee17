"""Whom a table's intervals speak of, for files that have no notes. Pure."""

from annotation.reports.found import Found
from annotation.reports.models.intervals import Target
from annotation.reports.pair_findings import Preferences

LIKE_THESE, THESE = (target.value for target in Target)
# Tables of the primary analysis, whose target the plan chooses.
PRIMARY = {"table-3", "table-6", "comparisons", "no-worse", "exclusions"}
OF_TABLES = {
    **dict.fromkeys(("agreement-by-pair", "own-agreement", "severity", "learning", "naturalness"), THESE),
    **dict.fromkeys(("prediction-powered", "prediction-powered-differences"), THESE),
    **dict.fromkeys(("win-rates", "win-rate-matrix", "strengths", "sides"), THESE),
    **dict.fromkeys(("judges", "judge-bias"), f"{THESE} and this judge"),
    "means": f"{LIKE_THESE}, or {THESE}, as the column says",
    "robustness": f"{LIKE_THESE}, or {THESE} where the column says so",
    "preferred-systems": "testers like these",
}


def intervals_speak_of(table: str, found: Found) -> str:
    """By the table's slug; empty where its intervals are not about raters, as of the lengths of texts."""
    if table in PRIMARY and not isinstance(found, Preferences):
        return found.target.value
    if table in ("agreement", "agreement-by-version"):
        return THESE if isinstance(found, Preferences) else f"ICC: {LIKE_THESE}; other coefficients: {THESE}"
    return OF_TABLES.get(table, "")


def coefficient_speaks_of(name: str, *, is_own: bool) -> Target:
    """Whom the interval of a coefficient of agreement speaks of: of raters with themselves (`is_own`) these raters, and
    between raters those like these where it is an intraclass correlation."""
    return Target.RATERS_LIKE_THESE if name.startswith("icc") and not is_own else Target.THESE_RATERS
