"""Claims on how the ratings are analysed."""

import re

from annotation.design.methods import analyses
from annotation.design.plan_text import INTERVALS, INTERVALS_OF_PAIRS, MODELS, MODELS_OF_THESE
from tests.annotation.claims.registry import claims
from tests.annotation.claims.sql import of_study, per_item, plan_of


def speaks_of_these(study: int) -> bool:
    return plan_of(study).get("population") == "these" and of_study("kind", study) != "pairs"


def models(of: dict[str, str]) -> str:
    return "|".join(f"(Primary analysis: {re.escape(text[0].lower() + text[1:])})" for text in of.values())


@claims(models(MODELS_OF_THESE))
def of_these(study: int, *said: str | None) -> None:
    assert [*MODELS_OF_THESE][[bool(one) for one in said].index(True)] == of_study("kind", study)
    assert speaks_of_these(study)


@claims(models(MODELS))
def of_model(study: int, *said: str | None) -> None:
    assert [*MODELS][[bool(one) for one in said].index(True)] == of_study("kind", study)
    assert not speaks_of_these(study)


@claims(f"({re.escape(INTERVALS['like'])})|({re.escape(INTERVALS['these'])})")
def of_population(study: int, _: str | None, these: str | None) -> None:
    assert bool(these) == speaks_of_these(study)
    assert of_study("kind", study) != "pairs"


@claims(re.escape(INTERVALS_OF_PAIRS))
def of_comparisons(study: int) -> None:
    assert of_study("kind", study) == "pairs"


@claims(r"p values are adjusted together by Holm's \(1979\) method over "
        r"(all pairs of versions × the metrics asked of both|the primary pairs × the primary metrics)\.")  # fmt: skip
def of_correction(study: int, family: str) -> None:
    assert (plan_of(study).get("family") or "all") == ("all" if family.startswith("all") else "primary")


@claims(
    "|".join(
        f"({re.escape(text)})" for text in (analyses.AGREEMENT, analyses.AGREEMENT_OF_PAIRS, analyses.NO_AGREEMENT)
    )
)
def of_agreement(study: int, scores: str | None, pairs: str | None, none: str | None) -> None:
    assert bool(pairs) == (of_study("kind", study) == "pairs")
    assert bool(none) == (of_study("kind", study) == "chats" and of_study("raters_per_item", study) == 1)
    if none:
        assert max(per_item(study)) <= 1


@claims(f"({re.escape(analyses.CONFIRMATORY)})|({re.escape(analyses.EXPLORATORY)})")
def of_confirmation(study: int, planned: str | None, _: str | None) -> None:
    assert bool(planned) == bool(of_study("plan_sha256", study))
