"""Tables of a study of pairs: win rates by question and pair of versions, Davidson's model, and bias towards a side."""

from collections.abc import Iterator

from annotation.design.plan import AnalysisPlan, status
from annotation.reports.models.intervals import Unfit
from annotation.reports.notes import (
    INTERVALS,
    SIMULATED,
    few_backgrounds_note,
    screened_out_note,
    with_status,
)
from annotation.reports.pair_findings import Preferences
from annotation.reports.preference_agreement import preference_agreement_tables
from annotation.reports.preferences import Rate, WinRate
from annotation.reports.repeat_tables import own_agreement_tables
from annotation.reports.reported import Reported
from annotation.reports.text_tables import text_tables
from core.tables import Cell, Column, Estimate, Table
from dialogues.display import DEMO_LABEL

_MODEL = (
    "Davidson’s (1970) model: the chance that a version is preferred, ties counting half, with the bias towards a side "
    "taken out."
)


def preference_tables(study: Reported, found: Preferences) -> dict[str, Table]:
    """Every table of the report by slug, in page order, each with a note of what the analysis plan named."""
    tables = (
        wins(study, found),
        *((matrix(study, found),) if len(found.versions) > 2 else ()),
        strengths(study, found),
        sides(study, found),
        *preference_agreement_tables(found, _provenance(study, found)),
        *own_agreement_tables(study, found.own_agreement, found.metrics, _provenance(study, found)),
        *text_tables(found.texts, _demo(found)),
    )
    return with_status(study, tables)


def wins(study: Reported, found: Preferences) -> Table:
    plan = AnalysisPlan.of(study.analysis_plan)
    rows = tuple(
        (
            line.metric,
            f"{line.second} over {line.first}",
            *([status(plan, *line.key)] if plan else []),
            *_win_cells(line.rate),
            _in_percent(line.modelled),
        )
        for line in found.lines
    )
    columns = (
        Column("Metric", numeric=False),
        Column("Versions", numeric=False),
        *([Column("Status", numeric=False)] if plan else []),
        *(Column(label) for label in ("Wins", "Ties", "Losses")),
        *(Column(label, 1, group="Win rate, %") for label in ("decided", "ties half", "Davidson’s model")),
    )
    notes = (
        *_provenance(study, found),
        "How often the first-named version was preferred, side by side and blind. Decided: wins / (wins + losses), n "
        "counting decided comparisons. Ties half: (wins + ties / 2) / all, n counting comparisons.",
        _MODEL,
        *_intervals(found),
        *_unfit(found),
    )
    return Table("win-rates", "Preferences side by side: wins, ties and losses.", columns, rows, notes)


def matrix(study: Reported, found: Preferences) -> Table:
    """Davidson's chance of every version over every other."""
    rows = tuple(
        (metric.name, version, *(_in_percent(found.modelled(number, version, other)) for other in found.versions))
        for number, metric in enumerate(found.metrics)
        for version in found.versions
    )
    columns = (
        Column("Metric", numeric=False),
        Column("Version", numeric=False),
        *(Column(f"over {version}, %", 1) for version in found.versions),
    )
    notes = (
        *_provenance(study, found),
        f"{_MODEL} n counts the comparisons of these two versions; the others bear on their rate, too.",
        *_intervals(found),
        *_unfit(found),
    )
    caption = "Chance that the row’s version is preferred to the column’s, by Davidson’s model."
    return Table("win-rate-matrix", caption, columns, rows, notes)


def strengths(study: Reported, found: Preferences) -> Table:
    """The parameters of Davidson's model."""
    nothing: tuple[Cell, ...] = (None,) * (len(found.versions) + 2)
    rows = tuple(
        (
            metric.name,
            *(
                nothing
                if isinstance(model, Unfit)
                else (*model.strengths, _in_percent(model.tie), _in_percent(model.left))
            ),
        )
        for metric, model in zip(found.metrics, found.models, strict=True)
    )
    columns = (
        Column("Metric", numeric=False),
        *(Column(version, group="Strength") for version in found.versions),
        Column("Tie, %", 1, group="Between equals"),
        Column("Left if decided, %", 1, group="Between equals"),
    )
    notes = (
        *_provenance(study, found),
        "Davidson’s (1970) model by maximum likelihood: strengths are logarithms that sum to 0, and e to the power of "
        "a difference is the odds of one version over the other in decided comparisons. Between equals: the chance of "
        "a tie, and the chance of the left one where there is no tie; 50 % is no bias towards a side. n counts "
        "comparisons of the version, or all.",
        *_intervals(found),
        *_unfit(found),
    )
    return Table("strengths", "Strengths of versions by Davidson’s model, with ties and sides.", columns, rows, notes)


def sides(study: Reported, found: Preferences) -> Table:
    """Whether raters favoured the left or the right side."""
    names = [*(metric.name for metric in found.metrics), "All together"]
    rows = tuple((name, _percent(rate)) for name, rate in zip(names, found.left, strict=True))
    columns = (Column("Metric", numeric=False), Column("Left chosen, % of decided", 1))
    notes = (
        *_provenance(study, found),
        "Sides are counterbalanced, so 50 % is no bias towards a side; n counts decided comparisons. The metrics of "
        "one comparison are not independent either, so the last row is hardly more precise than the others.",
        *_intervals(found),
    )
    return Table("sides", "Left or right: was a side favoured?", columns, rows, notes)


def _win_cells(rate: WinRate | None) -> tuple[Cell, ...]:
    if rate is None:
        return (0, 0, 0, None, None)
    return (rate.wins, rate.ties, rate.losses, _percent(rate.decided), _percent(rate.halves))


def _in_percent(found: Estimate | None) -> Estimate | None:
    return found.times(100) if found else None


def _intervals(found: Preferences) -> Iterator[str]:
    yield (
        f"{INTERVALS} backgrounds, because decisions on one background are not independent. They say how these raters "
        "would decide on other backgrounds, not how other raters would."
    )
    yield from few_backgrounds_note(found.compared_backgrounds, *(rate.backgrounds for rate in found.rates if rate))


def _unfit(found: Preferences) -> Iterator[str]:
    """Why a metric has no model."""
    for metric, model in zip(found.metrics, found.models, strict=True):
        if isinstance(model, Unfit):
            yield f"{metric.name}: no model. {model.reason}"


def _percent(rate: Rate) -> Cell:
    if rate.value is None:
        return None
    return Estimate(rate.value, rate.n, rate.low, rate.high, rate.no_interval).times(100)


def _provenance(study: Reported, found: Preferences) -> Iterator[str]:
    if study.is_simulated:
        yield SIMULATED
    yield from _demo(found)
    yield from screened_out_note(study, found.screened_out)


def _demo(found: Preferences) -> Iterator[str]:
    if found.demo:
        yield f"{', '.join(found.demo)}: {DEMO_LABEL}."
