"""An analysis plan with what it rests on as one document, as text for registries, and its SHA-256. Pure.

The texts follow from the document alone, so whoever has a registered text can tell whether the plan is still the same.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from annotation.design.plan import CLAIMS_ABOUT, FAMILIES, AnalysisPlan, Pair, PlannedPower, Population
from core.numbers import count_in_words

FORMAT = "stephanie-analysis-plan"
FORMAT_VERSION = 1
HASH_MARK = "SHA-256 of this plan as JSON: "
Part = tuple[str, str]
# The primary analysis by kind of study, for raters like these or, of pairs, for these raters.
MODELS = {
    "scores": "For each metric a linear mixed model by restricted maximum likelihood: value ~ version "
    "+ (1 | background) + (1 | background:version) + (1 | rater) + (1 | rater:version), with the differences of all "
    "pairs of versions; where every rater scored everything, mean squares give the same estimates.",
    "pairs": "For each metric Davidson's Bradley–Terry model with ties and an effect of the side (Davidson 1970).",
}
MODELS["chats"] = MODELS["scores"].replace("version", "system")
# The same of scores for these raters.
MODELS_OF_THESE = {
    "scores": "For each metric and pair of versions the mean over raters of the differences of their own means, by "
    "Student's t over backgrounds (linearised; Binder 1983); where every rater scored everything, this is the paired t "
    "test of the backgrounds' mean differences.",
}
MODELS_OF_THESE["chats"] = MODELS_OF_THESE["scores"].replace("version", "system")
INTERVALS: Mapping[Population, str] = {
    "like": "95 % intervals are for raters like these: raters and backgrounds both count as drawn from more of their "
    "kind (crossed variance, degrees of freedom by Satterthwaite 1946).",
    "these": "95 % intervals are for these raters: backgrounds count as drawn from more of their kind, raters do not.",
}
# How intervals from resamples come about, in plans, methods texts and checklists.
RESAMPLED = (
    "bias-corrected percentiles of resampled backgrounds (Efron 1981), expanded for small samples (Hesterberg 2015)"
)
INTERVALS_OF_PAIRS = (
    "95 % intervals are for these raters: backgrounds count as drawn from more of their kind, raters do not. "
    f"They are {RESAMPLED}."
)


def primary_analysis(kind: str, population: Population | None) -> Part:
    """The model of a kind of study, and of whom its intervals speak; None is the usual population."""
    if kind == "pairs":
        return MODELS[kind], INTERVALS_OF_PAIRS
    return (MODELS_OF_THESE if population == "these" else MODELS)[kind], INTERVALS[population or "like"]


def canonical(document: Mapping[str, Any]) -> str:
    """The document as the JSON text that is hashed: sorted keys, two spaces, one line end at the end."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def sha256_of(document: Mapping[str, Any]) -> str:
    """In hexadecimal, as `sha256sum` prints it for the JSON file."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def texts(document: Mapping[str, Any]) -> dict[str, str]:
    """The document's JSON and every text made of it, by the name of the form."""
    return {"json": canonical(document), **{name: write(document) for name, write in FORMS.items()}}


def in_words(document: Mapping[str, Any]) -> list[Part]:
    """What the plan says, as (label, text)."""
    plan = _plan(document)
    found = [
        ("Expected", plan.question or "nothing written"),
        ("Primary metrics", _metrics(document, plan) or "none"),
        ("Primary pairs", _pairs(document, plan.contrasts) or "none"),
        ("Tests", _tests(document, plan)),
        ("No worse", _margin(document, plan)),
        ("Analysis", " ".join(primary_analysis(document["kind"], plan.population))),
        ("Planned size", _size(document, plan)),
        ("Power", power_in_words(plan)),
        ("Exclusion", " ".join(_exclusion(document, plan))),
        ("End of the study", _stopping(plan)),
    ]
    return [(label, text) for label, text in found if text]


def osf_text(document: Mapping[str, Any]) -> str:
    """Plain text under the headings of a preregistration at the Open Science Framework."""
    plan, kind = _plan(document), document["kind"]
    return _written(
        document,
        [
            ("Title", document["study"]),
            ("Hypotheses", plan.question or "None: the study estimates differences without a prediction."),
            ("Study type", "Experiment: people judge texts without knowing which version they read."),
            ("Blinding", "Raters see neither versions nor writers. Researchers see no scores by version until somebody "
             "unblinds the study, which is recorded with a time."),
            ("Study design", _design(document, plan)),
            ("Randomization", f"Sample and orders follow from the seed {document['seed']}."),
            ("Existing data", NO_DATA),
            ("Sample size", _size(document, plan)),
            ("Sample size rationale", power_in_words(plan)),
            ("Stopping rule", _stopping(plan)),
            ("Manipulated variables", f"The {_nouns(kind)}: {_all_names(document)}."),
            ("Measured variables", _questions(document)),
            ("Statistical models", " ".join(_analysis(document, plan))),
            ("Inference criteria", _tests(document, plan)),
            ("Data exclusion", " ".join(_exclusion(document, plan))),
            ("Missing data", "What nobody rated has no value and is not filled in."),
            ("Exploratory analysis", _exploratory(document, plan)),
        ],
    )  # fmt: skip


def aspredicted_text(document: Mapping[str, Any]) -> str:
    """Plain text in the order of the questions that AsPredicted asks."""
    plan = _plan(document)
    return _written(
        document,
        [
            ("1) Data collected so far", NO_DATA),
            ("2) Question or hypothesis", plan.question or "No prediction: the study estimates differences."),
            ("3) Dependent variables", f"{_questions(document)} Primary: {_metrics(document, plan)}."),
            ("4) Conditions", _design(document, plan)),
            ("5) Analyses", " ".join([*_analysis(document, plan), _tests(document, plan)])),
            ("6) Outliers and exclusions", " ".join(_exclusion(document, plan))),
            ("7) Sample size", " ".join(filter(None, (_size(document, plan), power_in_words(plan), _stopping(plan))))),
            ("8) Anything else", _exploratory(document, plan)),
        ],
    )


FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"osf": osf_text, "aspredicted": aspredicted_text}
NO_TESTS = (
    "No tests: the report has no p values of preferences, and adjusts nothing. Its 95 % intervals are read one by one; "
    "a rate of Davidson's model whose interval leaves out 50 % speaks for a preference."
)
NO_DATA = "None. Ratings can be given only after the launch, and the launch freezes this plan."


def _written(document: Mapping[str, Any], parts: Iterable[Part]) -> str:
    said = [f"{label}\n{text}" for label, text in parts if text]
    return "\n\n".join([f"Analysis plan of “{document['study']}”", *said, HASH_MARK + sha256_of(document)]) + "\n"


def _plan(document: Mapping[str, Any]) -> AnalysisPlan:
    """The plan without what a study of pairs cannot have."""
    plan = AnalysisPlan.of(document["plan"]) or AnalysisPlan()
    if document["kind"] == "pairs":
        return replace(plan, family=None, population=None, margin=None, not_worse=(), power=None)
    return plan


def _nouns(kind: str) -> str:
    return "systems" if kind == "chats" else "versions"


def _metrics(document: Mapping[str, Any], plan: AnalysisPlan) -> str:
    names = {metric["key"]: metric["name"] for metric in document["rubric"]["metrics"]}
    return ", ".join(names.get(key, key) for key in plan.metrics)


def _pairs(document: Mapping[str, Any], pairs: Iterable[Pair]) -> str:
    between = "beside" if document["kind"] == "pairs" else "minus"
    return "; ".join(f"{_name(document, second)} {between} {_name(document, first)}" for first, second in pairs)


def _name(document: Mapping[str, Any], slug: str) -> str:
    return next((str(one["name"]) for one in document["versions"] if one["slug"] == slug), slug)


def _all_names(document: Mapping[str, Any]) -> str:
    return ", ".join(one["name"] for one in document["versions"])


def _questions(document: Mapping[str, Any]) -> str:
    rubric = document["rubric"]
    names = ", ".join(metric["name"] for metric in rubric["metrics"])
    how = "answered with left, same or right" if document["kind"] == "pairs" else "scored from {} to {}"
    return f"{names} (the questions of “{rubric['name']}”), each {how.format(*rubric['scale'])}."


def _design(document: Mapping[str, Any], plan: AnalysisPlan) -> str:
    what = {
        "scores": "Raters score single dialogues; every background has all versions",
        "pairs": "Raters compare two versions of a background side by side",
        "chats": "Testers chat with a system about a background and score the chat; every background has all systems",
    }[document["kind"]]
    return f"{what}: {_all_names(document)}. {_size(document, plan)}"


def _size(document: Mapping[str, Any], plan: AnalysisPlan) -> str:
    if plan.raters is None or plan.backgrounds is None:
        return ""
    what, one, each_does = {
        "scores": ("dialogues", "dialogue", "scoring"),
        "pairs": ("pairs of dialogues", "pair", "comparing"),
        "chats": ("combinations of a system and a background", "combination, with a chat of their own", "scoring"),
    }[document["kind"]]
    each = f"each {each_does} everything" if document["all_rate_all"] else f"for each {one}"
    items = plan.backgrounds * document["items_a_background"]
    size, raters = count_in_words(plan.backgrounds, "background"), count_in_words(plan.raters, "rater")
    return f"{size}, which give {items:,} {what}; {raters} {each}: {items * plan.raters:,} ratings."


def _tests(document: Mapping[str, Any], plan: AnalysisPlan) -> str:
    """What is tested and how it is adjusted, as the table of comparisons does it."""
    if document["kind"] == "pairs":
        return NO_TESTS
    family, tests = FAMILIES[plan.family or "all"], count_in_words(document["tests"], "test")
    if document["tests"] == 1:
        return f"Two-sided test at .05, not adjusted: {family}, {tests} in all.{_outside(plan)}"
    return (
        f"Two-sided tests at .05. Tests corrected together by Holm (1979): {family}, {tests} in all, without any that "
        f"cannot be computed.{_outside(plan)}"
    )


def _outside(plan: AnalysisPlan) -> str:
    return " Other p values are not adjusted." if plan.family == "primary" else ""


def _exploratory(document: Mapping[str, Any], plan: AnalysisPlan) -> str:
    """Which numbers of the report are confirmatory, as the notes of its tables say it."""
    if document["kind"] == "pairs":
        what = "the rates of the primary pairs on the primary metrics by Davidson's model"
    else:
        what = "the differences of the primary pairs on the primary metrics by this analysis, with their p values"
    claims = ", and the claims of no worse" if plan.margin is not None else ""
    return f"Confirmatory: {what}{claims}. Every other number in the report is exploratory, and its table says so."


def _margin(document: Mapping[str, Any], plan: AnalysisPlan) -> str:
    if plan.margin is None:
        return ""
    pairs = "; ".join(
        f"{_name(document, second)} is no worse than {_name(document, first)}" for first, second in plan.not_worse
    )
    return (
        f"{pairs}: on each primary metric the difference lies above −{plan.margin:g} points (one side of two one-sided "
        "tests, at .05, not adjusted)."
    )


def _analysis(document: Mapping[str, Any], plan: AnalysisPlan) -> Iterator[str]:
    yield from primary_analysis(document["kind"], plan.population)
    yield f"Primary metrics: {_metrics(document, plan)}."
    if plan.contrasts:
        yield f"Primary pairs: {_pairs(document, plan.contrasts)}."
    if plan.margin is not None:
        yield f"Also: {_margin(document, plan)}"


def power_in_words(plan: AnalysisPlan) -> str:
    """What the planned size finds how often, and what that supposes; "" where nobody computed it."""
    power = plan.power
    if power is None:
        return ""
    return (
        f"A difference of {power.difference:g} points is found with a power of {power.power:.0%} in {power.studies:,} "
        f"simulated studies (seed {power.seed}). This is the power of one two-sided test at .05 without adjustment, "
        f"{_claim(power)}, with both versions of {count_in_words(power.backgrounds, 'background')} scored by the same "
        f"{count_in_words(power.raters, 'rater')}. Adjustment for several tests lowers it, and where raters score only "
        f"a part it is approximate. Standard deviations of backgrounds {power.background:g}, dialogues "
        f"{power.item:g}, raters {power.rater:g}, raters by version {power.rater_version:g}, "
        f"residual {power.residual:g}."
    )


def _claim(power: PlannedPower) -> str:
    if power.population is None:
        return "for a claim whose raters (these alone, or raters like these) are not on record"
    return f"for a claim about {CLAIMS_ABOUT[power.population]}"


def _exclusion(document: Mapping[str, Any], plan: AnalysisPlan) -> Iterator[str]:
    yield plan.exclusion or "Nobody is excluded by hand."
    if least := document.get("least_passed"):
        items = count_in_words(document["training_items"], "training item")
        yield f"A rater who scores fewer than {least:,} of {items} as expected is screened out before the first rating."
    most = document["most_lapses"]
    if most is not None:
        counts = "still count" if document["counts_screened_out"] else "do not count"
        failed = count_in_words(most, "attention check")
        yield f"A rater who fails more than {failed} is screened out; their scores {counts}."
    stay = "stay" if document["withdrawal"] == "keep" else "are removed"
    yield f"When somebody withdraws, their scores {stay}."


def _stopping(plan: AnalysisPlan) -> str:
    return {
        "planned": "The study ends when every planned rating has been given.",
        "date": f"The study ends after {plan.stopping_date}, however many ratings there are.",
        "words": plan.stopping_words,
    }[plan.stopping]
