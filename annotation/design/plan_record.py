"""A study's analysis plan with what it rests on: what is hashed at the launch, and whether it is still the same."""

from itertools import combinations
from typing import Any

from annotation.design.plan import AnalysisPlan, Asked, Pair
from annotation.design.plan_text import FORMAT, FORMAT_VERSION, HASH_MARK, sha256_of, texts
from annotation.models import Item, Study
from dialogues.models import Version


class NoPlanError(ValueError):
    """The study has no analysis plan; the text says what to do."""


def plan_of(study: Study) -> AnalysisPlan | None:
    """None where everything in the report is exploratory."""
    return AnalysisPlan.of(study.analysis_plan)


def compared_versions(study: Study) -> list[Version]:
    """The versions that the study rates, or those that name its systems, in the order of tables."""
    if study.has_chats:
        return [system.version for system in study.systems.select_related("version")]
    return list(study.versions.all())


def asked_of(study: Study) -> Asked:
    """What the study asks about which versions; the second of a pair stands later in tables."""
    slugs = [version.pk for version in compared_versions(study)]
    pairs: list[Pair] = list(combinations(slugs, 2))
    if study.compares:
        shown = {frozenset(pair) for pair in study.pairs}
        pairs = [pair for pair in pairs if frozenset(pair) in shown]
    return Asked(
        tuple(metric.key for metric in study.rubric.metric_list()),
        {pair: tuple(metric.key for metric in study.rubric.metrics_for(*pair)) for pair in pairs},
        compares=study.compares,
    )


def plan_document(study: Study) -> dict[str, Any]:
    """The plan with everything that its texts say, all of it frozen at the launch; raises NoPlanError."""
    plan = plan_of(study)
    if plan is None:
        what = "Write one in the step Analysis plan." if study.is_draft else "Everything in its report is exploratory."
        raise NoPlanError(f"“{study.name}” has no analysis plan. {what}")
    versions, asked, rubric = compared_versions(study), asked_of(study), study.rubric
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": study.name,
        "design_version": study.version,
        "kind": study.kind,
        "versions": [{"slug": version.pk, "name": version.symbol} for version in versions],
        "rubric": {
            "name": rubric.name,
            "scale": [rubric.scale_low, rubric.scale_high],
            "metrics": [
                {"key": one.key, "name": one.name, "definition": one.definition} for one in rubric.metric_list()
            ],
        },
        "seed": study.seed,
        # More raters may be asked for later; whether each rates everything stays.
        "all_rate_all": study.raters_per_item is None,
        "items_a_background": len(asked.pairs) if study.compares else len(versions),
        # Plans of pairs of before they had no family keep the number, and with it the hash of their launch.
        "tests": None if study.compares and plan.family is None else len(plan.family_of(asked)),
        "most_lapses": None if study.has_chats else study.most_lapses,
        "counts_screened_out": study.counts_screened_out,
        "withdrawal": study.withdrawal,
        "plan": plan.as_json(),
        **_pass_mark(study),
    }


def _pass_mark(study: Study) -> dict[str, Any]:
    """Nothing where the training is not marked: documents written before there was a pass mark keep their hash."""
    if study.least_passed is None:
        return {}
    lessons = study.items.filter(purpose=Item.Purpose.TRAINING).count()
    return {"least_passed": study.least_passed, "training_items": lessons}


def hash_of_plan(study: Study) -> str:
    """SHA-256 of the plan's document as it is stored now; "" without a plan."""
    return sha256_of(plan_document(study)) if study.analysis_plan else ""


def is_as_launched(study: Study) -> bool:
    """Whether what is stored still gives the hash that the launch recorded; a draft has none."""
    return not study.is_draft and hash_of_plan(study) == study.plan_sha256


def form_of(study: Study, text: str) -> str | None:
    """The form whose text this is, letter by letter apart from the kind of line ends; None if it is none of them."""
    given = text.replace("\r\n", "\n")
    return next((form for form, written in texts(plan_document(study)).items() if written == given), None)


def bears_hash(study: Study, text: str) -> bool:
    """Whether a text ends with the SHA-256 of the plan, whatever its words are: another release may have other ones."""
    return text.rstrip().endswith(f"\n{HASH_MARK}{hash_of_plan(study)}")
