"""A study's findings, computed from its ratings and its judges' scores and, in a study of chats, from its chats."""

from dataclasses import replace

from annotation.design.plan_record import asked_of, plan_of
from annotation.models import Rating, Study
from annotation.reports.caching import key_of
from annotation.reports.chat_gathering import chat_findings
from annotation.reports.findings import STEPS_A_METRIC, Findings, Planned, findings
from annotation.reports.judges import judgements_read, judges_beside
from annotation.reports.models.intervals import Target
from annotation.reports.scores import study_items, study_scores
from core.computations import Answer, answer
from core.results import Result, Size
from core.steps import Steps

# Reading the ratings, and judges.
FURTHER_STEPS = 2
# Seconds that each takes.
A_SCORE, A_JUDGEMENT = 1e-4, 2e-5


def findings_of(study: Study, steps: Steps | None = None) -> Findings:
    """The study's findings, kept per set of counted ratings and judgements; computed now if there are none."""
    return _with_chats(study, findings_result(study).here(steps))


def findings_at_once(study: Study) -> Answer[Findings]:
    """The same for a page, which does not wait for those of a large study."""
    found = answer(findings_result(study))
    return replace(found, found=_with_chats(study, found.found)) if found.found else found


def findings_result(study: Study) -> Result[Findings]:
    """Without chats, whose own figures are kept apart from it."""
    metrics = study.rubric.metric_list()

    def compute(step: Steps) -> Findings:
        step("Reading ratings")
        items = study_items(study)
        scores = study_scores(study, items, [metric.key for metric in metrics])
        found = findings(items, scores, metrics, study.rubric.scale, study.seed, _planned(study), step)
        step("Judges beside raters")
        if not (found.ratings and judgements_read(study)["n"]):
            return found
        return replace(found, judges=tuple(judges_beside(study, items, scores)))

    return Result(
        key=lambda: key_of("findings", study, also=[study.analysis_plan, judgements_read(study)]),
        compute=compute,
        size=lambda: Size(_seconds(study), STEPS_A_METRIC * len(metrics) + FURTHER_STEPS),
        task="annotation.compute_report",
        arguments={"study": study.pk},
    )


def _seconds(study: Study) -> float:
    """As measured by `tests.benchmarks.study_report`."""
    scores = Rating.objects.counted().for_study(study).count() * len(study.rubric.metric_list())
    return scores * A_SCORE + (judgements_read(study)["n"] or 0) * A_JUDGEMENT


def _with_chats(study: Study, found: Findings) -> Findings:
    if not study.has_chats:
        return found
    return replace(found, chats=chat_findings(study, [version.slug for version in found.versions]))


def _planned(study: Study) -> Planned:
    plan = plan_of(study)
    if plan is None:
        return Planned()
    target = Target.RATERS_LIKE_THESE if plan.population == "like" else Target.THESE_RATERS
    return Planned(target, {(metric, *pair) for metric, pair in plan.family_of(asked_of(study))})
