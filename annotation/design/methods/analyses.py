"""How a study's ratings are analysed, with the sources of the methods."""

from collections.abc import Iterator

from annotation.design.plan import FAMILIES
from annotation.design.plan_record import plan_of
from annotation.design.plan_text import RESAMPLED, primary_analysis
from annotation.models import Study

AGREEMENT = (
    "Agreement between raters: Krippendorff's ordinal and interval α (Krippendorff 2011); two-way random intraclass "
    "correlations (Shrout and Fleiss 1979), whose intervals are for raters like these (McGraw and Wong 1996, "
    "approximated from variance components where scores are missing); κ with quadratic weights (Cohen 1968), pooled "
    "over all pairs of scores of an item; and the shares of such pairs that are equal or within one point. The other "
    f"intervals are {RESAMPLED}."
)
AGREEMENT_OF_PAIRS = (
    "Agreement between raters over losses, ties and wins in this order: Krippendorff's α (Krippendorff 2011); κ with "
    "quadratic weights (Cohen 1968), pooled over all decisions of two raters on the same pair of dialogues; and the "
    f"share of these that are equal. Intervals are {RESAMPLED}."
)
NO_AGREEMENT = "Each system and background has one rating at most, so there is no agreement to measure."
CONFIRMATORY = "What the plan names before the launch is confirmatory; every other result is exploratory."
EXPLORATORY = "No plan of the analysis is on record from before the launch, so every result is exploratory."


def analyses(study: Study) -> Iterator[str]:
    """The primary analysis, its correction, agreement, and which results are confirmatory."""
    yield from primary(study)
    yield agreement(study)
    yield CONFIRMATORY if plan_of(study) else EXPLORATORY


def primary(study: Study) -> Iterator[str]:
    """The model, whom its intervals speak of, and how p values are adjusted."""
    plan = plan_of(study)
    model, intervals = primary_analysis(study.kind, plan.population if plan else None)
    yield f"Primary analysis: {model[0].lower()}{model[1:]}"
    yield intervals
    if not study.compares:
        family = FAMILIES[(plan and plan.family) or "all"]
        yield f"p values are adjusted together by Holm's (1979) method over {family}."


def has_agreement(study: Study) -> bool:
    """Whether several raters can score one item: in a study of chats not if each has one chat."""
    return not (study.has_chats and study.raters_per_item == 1)


def agreement(study: Study) -> str:
    """Its coefficients."""
    if not has_agreement(study):
        return NO_AGREEMENT
    return AGREEMENT_OF_PAIRS if study.compares else AGREEMENT
