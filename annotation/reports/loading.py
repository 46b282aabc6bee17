"""A study's findings, computed from its ratings, from judges' scores and, in a study of chats, from its chats."""

from dataclasses import replace

from annotation.design.plan_record import asked_of, plan_of
from annotation.models import Rating, Study
from annotation.reports.caching import key_of
from annotation.reports.chat_gathering import chats_found
from annotation.reports.exploring import explored
from annotation.reports.exploring_gathering import explorable
from annotation.reports.findings import STEPS_A_METRIC, Findings, Planned, findings
from annotation.reports.judges import judgements_read, judges_beside, rater_minutes
from annotation.reports.models.intervals import Target
from annotation.reports.repeats import own_agreement, repeats_read
from annotation.reports.scores import study_items, study_scores
from core.computations import Answer, answer
from core.results import Result, Size
from core.steps import Steps

# Reading the ratings, pairs of raters, what is exploratory, repeats, and judges.
FURTHER_STEPS = 5
# Seconds that each takes.
A_SCORE, A_JUDGEMENT, AN_ITEM = 1e-4, 2e-5, 1.5e-4


def findings_of(study: Study, steps: Steps | None = None) -> Findings:
    """The study's findings, kept per set of ratings and judgements; computed now if there are none."""
    return _with_chats(study, findings_result(study).here(steps))


def findings_at_once(study: Study) -> Answer[Findings]:
    """The same for a page, which does not wait for those of a large study; see `answer`."""
    answered = answer(findings_result(study))
    return replace(answered, found=_with_chats(study, answered.found)) if answered.found else answered


def findings_result(study: Study) -> Result[Findings]:
    """Without chats, whose own figures are kept apart from it; see `_with_chats`."""
    # Those of excluded raters too, which the report sets beside the others.
    ratings = Rating.objects.before_exclusions().for_study(study)

    def key() -> str:
        also = [study.analysis_plan, judgements_read(study), repeats_read(study)]
        return key_of("findings", study, ratings=ratings, also=also)

    return Result(
        key=key,
        compute=lambda step: _compute(study, step),
        size=lambda: Size(_seconds(study), STEPS_A_METRIC * len(study.rubric.metric_list()) + FURTHER_STEPS),
        task="annotation.compute_report",
        arguments={"study": study.pk},
    )


def as_planned(study: Study) -> Planned:
    """Whom the primary analysis speaks of and which tests are adjusted together."""
    plan = plan_of(study)
    if plan is None:
        return Planned()
    target = Target.THESE_RATERS if plan.population == "these" else Target.RATERS_LIKE_THESE
    return Planned(target, {(metric, *pair) for metric, pair in plan.family_of(asked_of(study))})


def _with_chats(study: Study, found: Findings) -> Findings:
    """The findings of a study of chats with what its chats say; those of any other as they are."""
    if not study.has_chats:
        return found
    return replace(found, chats=chats_found(study, [version.slug for version in found.versions]))


def _compute(study: Study, step: Steps) -> Findings:
    step("Reading ratings")
    metrics = study.rubric.metric_list()
    items = study_items(study)
    scores = study_scores(study, items, [metric.key for metric in metrics])
    found = findings(items, scores, metrics, study.rubric.scale, study.seed, as_planned(study), step)
    step("Learning, other raters and texts")
    found = explored(study, found, items, scores, explorable(study, items), seed=study.seed)
    step("Raters with themselves")
    found = replace(found, own_agreement=own_agreement(study))
    step("Judges beside raters")
    judges = tuple(judges_beside(study, items, scores)) if found.ratings and judgements_read(study)["n"] else ()
    return replace(found, judges=judges, minutes=rater_minutes(study)) if judges else found


def _seconds(study: Study) -> float:
    """As measured by `tests.benchmarks.study_report`."""
    scores = Rating.objects.before_exclusions().for_study(study).count() * len(study.rubric.metric_list())
    judgements = judgements_read(study)["n"] or 0
    return scores * A_SCORE + judgements * A_JUDGEMENT + study.items.count() * AN_ITEM
