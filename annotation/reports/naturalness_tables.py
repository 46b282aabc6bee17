"""ACMC against naturalness: do dialogues with more messages a turn sound more natural?"""

from annotation.reports.bootstrap import DRAWS
from annotation.reports.findings import Findings
from annotation.reports.judge_measures import FEWER_DRAWS, MANY_ITEMS
from annotation.reports.models.correlations import PEARSON, SPEARMAN
from annotation.reports.naturalness import Correlated
from annotation.reports.notes import PERCENTILES, few_backgrounds_note, provenance
from annotation.reports.reported import Reported
from core.tables import Cell, Column, Table

LABELS = {PEARSON: "Pearson’s r", SPEARMAN: "Spearman’s ρ"}
ALL = "All together"


def naturalness_tables(study: Reported, found: Findings) -> list[Table]:
    """One table, or none where no rated dialogue has both a text and a score for naturalness."""
    natural = found.naturalness
    if natural is None:
        return []
    rows, hues = [(ALL, *_cells(natural.over_all))], [""]
    for place, correlated in natural.within.items():
        rows.append((found.versions[place].symbol, *_cells(correlated)))
        hues.append(found.versions[place].hue)
    columns = (Column("Version", numeric=False), *(Column(label) for label in LABELS.values()))
    draws = f"{DRAWS:,} seeded resamples of the backgrounds"
    if natural.over_all.dialogues > MANY_ITEMS:
        draws += f" ({FEWER_DRAWS} of more than {MANY_ITEMS:,} dialogues)"
    notes = (
        *provenance(study, found),
        f"One point is {'a system on a background' if study.has_chats else 'a dialogue'}: its messages "
        f"over its turns (ACMC), and the mean of its raters’ scores of {natural.metric}; n counts them. “—”: one of "
        "the two never varies.",
        "Across versions, dialogues differ in many other ways; within one, only chance and the writer decide how many "
        "messages a turn has.",
        f"In brackets: 95 % interval for these raters, {PERCENTILES} of {draws}.",
        *few_backgrounds_note(natural.over_all.backgrounds, *(one.backgrounds for one in natural.within.values())),
    )
    return [
        Table(
            "naturalness", f"Messages a turn (ACMC) against {natural.metric}.", columns, tuple(rows), notes, tuple(hues)
        )
    ]


def _cells(found: Correlated) -> tuple[Cell, ...]:
    return tuple(found.coefficients[name] for name in LABELS)
