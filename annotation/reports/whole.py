"""All that a study's report says: what was found, its tables, and what a figure or a file must say beside them."""

from collections.abc import Callable
from dataclasses import dataclass

from annotation.design.plan import AnalysisPlan
from annotation.design.plan_record import plan_of
from annotation.models import Study
from annotation.reports.exports import marked
from annotation.reports.findings import Findings, Key
from annotation.reports.found import Found, demo_versions
from annotation.reports.lead import lead
from annotation.reports.loading import findings_at_once, findings_of, findings_result
from annotation.reports.notes import listed, screened_out_note
from annotation.reports.pair_findings import PairLine, Preferences
from annotation.reports.preference_findings import preferences_of, preferences_result
from annotation.reports.preference_lead import preference_lead
from annotation.reports.preference_tables import preference_tables
from annotation.reports.tables import study_tables
from annotation.reports.targets import intervals_speak_of
from core.computations import Answer, answer
from core.results import Result
from core.steps import Steps
from core.tables import Table


@dataclass(frozen=True, slots=True)
class WholeReport:
    """`tables` are pairs: as shown, and with the marks that CSV needs. `found` gives the figures."""

    tables: tuple[tuple[Table, Table], ...]
    found: Found
    sentences: list[str]


def found_at_once(study: Study) -> Answer[Findings] | Answer[Preferences]:
    """What was found in either kind of study, for a page that does not wait for a large one; see `answer`."""
    if study.compares:
        return answer(preferences_result(study))
    return findings_at_once(study)


def found_of(study: Study, steps: Steps | None = None) -> Found:
    """The same, however long that takes."""
    return preferences_of(study, steps) if study.compares else findings_of(study, steps)


def found_result(study: Study) -> Result[Findings] | Result[Preferences]:
    """The result that both rest on."""
    return preferences_result(study) if study.compares else findings_result(study)


def whole_report(study: Study, found: Found, *, dashes: bool = True, paper: bool = True) -> WholeReport:
    """The report of either kind of study; see `tables_of`."""
    tables = tables_of(study, found, dashes=dashes, paper=paper)
    pairs = tuple((table, marked_table(study, table, found)) for table in tables.values())
    return WholeReport(pairs, found, lead_of(study, found, dashes=dashes))


def tables_of(study: Study, found: Found, *, dashes: bool = True, paper: bool = True) -> dict[str, Table]:
    """By slug; `dashes` hides what the rubric hides, `paper` shows the paper's values."""
    if isinstance(found, Preferences):
        return preference_tables(study, found)
    return study_tables(study, found, dashes=dashes, paper=paper)


def lead_of(study: Study, found: Found, *, dashes: bool) -> list[str]:
    """What was found, in sentences."""
    standing = _standing(study, found)
    if isinstance(found, Preferences):
        return preference_lead(found, is_confirmatory=_is_planned_line(study), standing=standing)
    return lead(found, dashes=dashes, is_confirmatory=_is_planned(study), standing=standing)


def _is_planned(study: Study) -> Callable[[Key], bool]:
    plan = plan_of(study)
    return lambda key: plan is not None and plan.is_confirmatory(key[0], key[1:])


def _is_planned_line(study: Study) -> Callable[[PairLine], bool]:
    plan = plan_of(study)
    return lambda line: plan is not None and plan.is_confirmatory(line.key[0], line.key[1:])


def plan_of_symbols(study: Study) -> AnalysisPlan | None:
    """The study's plan with its versions by symbol, which findings on pairs call them by."""
    plan = plan_of(study)
    return plan and plan.renamed(dict(study.versions.values_list("slug", "symbol")))


def _standing(study: Study, found: Found) -> list[str]:
    """What a reader must know before any number."""
    if not found.ratings:
        return []
    if study.is_simulated:
        return ["The ratings are simulated: they show what a report looks like, not what people think."]
    demo = listed(demo_versions(found)) if demo_versions(found) else ""
    said = f"Demo rules, not a language model, wrote {demo}, so nothing here is about language models."
    return [said] if demo else []


def marked_table(study: Study, table: Table, found: Found) -> Table:
    """With columns that say who made scores and texts, because CSV has no notes."""
    return marked(
        table,
        simulated=study.is_simulated,
        imported=study.is_imported,
        demo=bool(demo_versions(found)),
        screened_out=" ".join(screened_out_note(study, found.screened_out)),
        intervals_speak_of=intervals_speak_of(table.slug, found),
    )
