"""The notes under a report's tables: who made scores and texts, what was left out and planned, what the paper says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from annotation.reports.agreement import Agreement
from annotation.reports.bootstrap import DRAWS, ENOUGH_CLUSTERS
from annotation.reports.findings import Findings
from annotation.reports.models.intervals import Target
from annotation.reports.reported import Reported
from core.tables import Label, Table
from dialogues.display import DEMO_LABEL
from dialogues.published import published_table
from dialogues.rubric import Metric

SIMULATED = "Simulated ratings: a seeded program gave these scores, not people."
IMPORTED = "Imported ratings: collected elsewhere, not on this platform."
LIKE_THESE = (
    "In brackets: 95 % interval for raters like these: backgrounds, dialogues and raters all vary (mean squares of "
    "raters × backgrounds, or REML; Satterthwaite's degrees of freedom), cut off at the ends of the scale."
)
THESE = "For these raters: 95 % interval by Student's t over backgrounds, which says nothing of other raters."
PERCENTILES = "bias-corrected percentiles (Efron 1981), expanded for small samples (Hesterberg 2015),"
INTERVALS = f"In brackets: 95 % interval for these raters, {PERCENTILES} of {DRAWS:,} seeded resamples of the"

NO_PLAN = "No analysis plan was written before the launch, so everything is exploratory."
UNKNOWN_PLAN = "The ratings were collected elsewhere, and no analysis plan is known here, so everything is exploratory."
EXPLORATORY = "Exploratory: the analysis plan names none of these numbers."
# By slug the tables with numbers that a plan may name. In two of them a column Status says in which rows it does.
CONFIRMATORY: Mapping[str, str] = {
    "comparisons": "Confirmatory: difference and p of a row that the analysis plan named before the launch; everything "
    "else is exploratory.",
    "no-worse": "Confirmatory: whether a version is no worse, as the analysis plan claimed before the launch; "
    "everything else is exploratory.",
    "exclusions": "Exploratory, apart from “As reported” in rows that the analysis plan named before the launch.",
    "win-rates": "Confirmatory: the rate by Davidson’s model in a row that the analysis plan named before the launch; "
    "everything else is exploratory.",
    "win-rate-matrix": "Exploratory, apart from rates of the pairs and metrics that the analysis plan named before the "
    "launch.",
}

FEW_BACKGROUNDS = (
    f"With fewer than {ENOUGH_CLUSTERS} backgrounds such intervals can be too narrow and overstate certainty."
)


def interval_note(target: Target) -> str:
    """What the intervals of a table speak of."""
    return LIKE_THESE if target == Target.RATERS_LIKE_THESE else THESE


def few_backgrounds_note(*backgrounds: int) -> Iterator[str]:
    """A warning where intervals are from resamples of few backgrounds; of one there are none."""
    if are_few(backgrounds):
        yield FEW_BACKGROUNDS


def are_few(backgrounds: Iterable[int], enough: int = ENOUGH_CLUSTERS) -> bool:
    """Whether any interval rests on fewer backgrounds than are enough for it; one has no interval."""
    return any(1 < number < enough for number in backgrounds)


def few_clusters_note(found: Iterable[Agreement]) -> Iterator[str]:
    """The same warning where coefficients of agreement have such intervals."""
    if any(one.has_few_clusters for one in found):
        yield FEW_BACKGROUNDS


def provenance(study: Reported, found: Findings, *, ratings: bool = True) -> Iterator[str]:
    """The first notes: who made the scores and the texts."""
    if ratings:
        yield from _marks(study)
    if ratings and found.without_text and not study.has_chats:
        yield _without_text(found)
    demo = [version.symbol for version in found.versions if version.is_demo]
    if demo:
        yield f"{', '.join(demo)}: {DEMO_LABEL}."
    done = "answered" if study.has_chats else "written"
    for version in found.versions:
        if version.writers and not version.is_demo:
            yield f"{version.symbol}: {done} by {', '.join(version.writers)}."
    if ratings and found.set_aside:
        others = "people" if study.is_simulated else "the simulator"
        yield f"{found.set_aside:,} ratings by {others} are left out: the two are never mixed."
    if ratings:
        yield from screened_out_note(study, found.screened_out)


def with_status(study: Reported, tables: Iterable[Table]) -> dict[str, Table]:
    """The tables of a report by slug, each with a last note that says which of its numbers are confirmatory."""
    return {table.slug: replace(table, notes=(*table.notes, status_note(study, table.slug))) for table in tables}


def status_note(study: Reported, slug: str) -> str:
    """Which numbers of a table the analysis plan names; those of every table without one are exploratory."""
    if study.analysis_plan:
        return CONFIRMATORY.get(slug, EXPLORATORY)
    return UNKNOWN_PLAN if study.is_imported else NO_PLAN


def said_once(study: Reported, found: Findings, tables: Sequence[Table]) -> tuple[list[str], list[Table]]:
    """What a page says once at its top of all its ratings and texts, and its tables without that.

    Marks of simulated and imported ratings and of the demo's texts stay below each table, too.
    """
    marks = {SIMULATED, IMPORTED}
    about = [note for note in provenance(study, found) if note not in marks and not note.endswith(f"{DEMO_LABEL}.")]
    return about, without(about, tables)


def without(notes: Iterable[str], tables: Iterable[Table]) -> list[Table]:
    """The tables without notes that their page has elsewhere."""
    said = set(notes)
    return [replace(table, notes=tuple(note for note in table.notes if note not in said)) for table in tables]


def has_published(table: Table) -> bool:
    """Whether the paper's values stand in a table, in columns or rows of their own."""
    in_rows = any(cell == "paper" or (isinstance(cell, Label) and cell.remark == "paper")
                  for row in table.rows for cell in row[:2])  # fmt: skip
    return in_rows or any(column.group == "paper" for column in table.columns)


def _marks(study: Reported) -> Iterator[str]:
    if study.is_imported:
        yield IMPORTED
    if study.is_simulated:
        yield SIMULATED


def _without_text(found: Findings) -> str:
    if not found.has_lengths:
        return "The imported file has no texts of these dialogues, so there are no Tables 4 and 5."
    few = found.without_text == 1
    return (
        f"{found.without_text:,} of these {found.items:,} dialogues {'has' if few else 'have'} no text in the imported "
        f"file, so Tables 4 and 5 leave {'it' if few else 'them'} out."
    )


def measured_note(study: Reported, found: Findings) -> str:
    """Which dialogues Tables 4 and 5 are about."""
    if study.has_chats:
        return "Over both sides of the chats that have scores; an item is a system and a background with all its chats."
    if not found.without_text:
        return "Over the dialogues of this study."
    return (
        f"Over the {found.items - found.without_text:,} of {found.items:,} dialogues of this study that have a text in "
        f"the imported file; {found.without_text:,} without one {'is' if found.without_text == 1 else 'are'} left out."
    )


def screened_out_note(study: Reported, raters: int) -> Iterator[str]:
    """How many raters were screened out, if any, and whether they count."""
    if raters:
        counts = "still count, as the design says" if study.counts_screened_out else "are left out"
        yield f"Raters screened out for failed attention checks: {raters:,}. Their ratings {counts}."


def own_chats_note(study: Reported) -> Iterator[str]:
    """What agreement means in a study of chats."""
    if study.has_chats and study.raters_per_item == 1:
        yield "Each system and background had one chat, scored by its tester, so there is no agreement to measure."
    elif study.has_chats:
        yield (
            "Each tester scored a chat of their own. Testers of one system and background scored different chats, so "
            "disagreement between them is as much a difference of the chats as of the testers."
        )


def dash_notes(found: Findings) -> Iterator[str]:
    """Which cells show a dash although raters were asked."""
    symbols = {version.slug: version.symbol for version in found.versions}
    hidden: dict[str, list[Metric]] = {}
    for metric in found.metrics:
        for slug in metric.dash_for:
            if slug in symbols and not is_unasked(found, metric, slug):
                hidden.setdefault(slug, []).append(metric)
    for slug, metrics in hidden.items():
        names = listed([metric.name for metric in metrics])
        yield (
            f"“—” for {symbols[slug]} under {names}, as in the paper. Raters were still asked, so that the form "
            "gave nothing away; those scores are kept."
        )


def hidden_note(found: Findings) -> Iterator[str]:
    """That a table of all versions together counts what others hide."""
    if any(version.slug in metric.dash_for for metric in found.metrics for version in found.versions):
        yield "Scores that other tables print as a dash are among them."


def is_unasked(found: Findings, metric: Metric, slug: str) -> bool:
    """Whether raters were not asked this question about this version; existing scores count as asked."""
    return not metric.is_asked_for(slug) and found.means[metric.key, slug] is None


def unasked_notes(found: Findings) -> Iterator[str]:
    """Which cells show a dash because raters were not asked."""
    for version in found.versions:
        if names := [metric.name for metric in found.metrics if is_unasked(found, metric, version.slug)]:
            yield f"“—” for {version.symbol} under {listed(names)}: raters were not asked it about this version."


def paper_note(number: int) -> str:
    """The notes on the published table."""
    return f"Paper, Table {number}: {' '.join(published_table(number).notes)}"


def listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
