"""Tables of a study of chats: the paper's Table 6 for any systems, how the chats went, and lengths by side."""

from collections.abc import Callable, Iterator, Mapping

from annotation.reports import chat_causes
from annotation.reports.chat_figures import Spread, SystemFigures, Tail
from annotation.reports.chat_findings import SIDES, ChatFindings
from annotation.reports.findings import Findings
from annotation.reports.length_tables import RUN_LENGTHS, run_shares
from annotation.reports.notes import interval_note, own_chats_note, paper_note, provenance, unasked_notes
from annotation.reports.reported import Reported
from annotation.reports.system_preference_tables import preferred_systems
from core.tables import Cell, Column, Table
from dialogues.published import published_table, uncompared
from dialogues.rubric import is_the_papers

# The paper's two systems as columns of their own: none of a study's systems is one of them.
PUBLISHED = {"tuned": "stephanie-llama3-8b", "untuned": "llama3-8b"}
BASIS = {"Ratings": "ratings", "Testers": "testers", "Backgrounds": "backgrounds"}

Measure = Callable[[SystemFigures], Cell]


def chat_tables(study: Reported, found: Findings, chats: ChatFindings) -> tuple[Table, ...]:
    """Those that have anything to show beside the scores."""
    return (
        chats_by_system(study, found, chats),
        *preferred_systems(study, found, chats),
        *((lengths_by_side(study, found, chats),) if found.has_lengths else ()),
    )


def scores_after_chats(study: Reported, found: Findings, chats: ChatFindings, *, paper: bool = True) -> Table:
    """The paper's Table 6: mean score by metric and system, with the published means of the same question."""
    scale = study.rubric.scale
    theirs = {metric.key for metric in found.metrics if is_the_papers(metric, scale)}
    systems = PUBLISHED if theirs and paper else {}
    columns = (
        Column("Metric", numeric=False),
        *(Column(version.symbol, group="here" if systems else "") for version in found.versions),
        *(Column(label, group="paper") for label in systems),
    )
    rows: list[tuple[Cell, ...]] = []
    for metric in found.metrics:
        means = (found.means[metric.key, version.slug] for version in found.versions)
        printed = (
            published_table(6).value(metric.key, key) if metric.key in theirs else None for key in systems.values()
        )
        rows.append((metric.name, *(mean.estimate(found.target) if mean else None for mean in means), *printed))
    for label, part in BASIS.items():
        counts = (getattr(chats.basis[version.slug], part) for version in found.versions)
        rows.append((label, *counts, *(None for _ in systems)))
    others = [metric.name for metric in found.metrics if metric.key not in theirs]
    notes = (
        *provenance(study, found),
        f"Mean score from {scale.low} to {scale.high} after a chat; n counts scores. {interval_note(found.target)} "
        "Raters are the testers.",
        *own_chats_note(study),
        *unasked_notes(found),
        *(_paper_notes() if systems else ()),
        *filter(None, [uncompared(others) if paper else ""]),
    )
    caption = f"Human evaluation after chats: mean score by metric and system{_as_table_6(theirs)}."
    return Table("table-6", caption, columns, tuple(rows), notes)


def _as_table_6(theirs: set[str]) -> str:
    return " (the paper’s Table 6)" if theirs else ""


def _paper_notes() -> Iterator[str]:
    yield (
        "paper: as printed for its own two systems, tuned (Stephanie-Llama3-8b) and untuned (Llama3-8b), which were "
        "never published. No system of this study is one of them."
    )
    yield paper_note(6)


def chats_by_system(study: Reported, found: Findings, chats: ChatFindings) -> Table:
    """How the chats went: how many, how long, how replies ended, and how well the pace was kept."""
    figures = [chats.systems[version.slug] for version in found.versions]
    columns = (Column("Measure", numeric=False), *(Column(version.symbol) for version in found.versions))
    rows = tuple((label, *(measure(one) for one in figures)) for label, measure in _measures(figures))
    notes = (
        *provenance(study, found, ratings=False),
        *_simulated_notes(study),
        "Chats of testers whose ratings count, without practice. Finished: ended by the tester or a limit; empty: one "
        "side said nothing. Turns are the tester’s: all that they sent up to a reply is one. Turns, messages and "
        "minutes are of finished chats, from the first message to the last.",
        "A reply lasts from when the model was asked to its end; shares are of all replies. A reply that failed and "
        "was asked for again counts each time.",
        "Wait: from when the model was asked to the first bubble of its reply. Later than planned: how much longer a "
        "bubble took than its seeded pace says, since the bubble before it or, for a reply’s first one, since the "
        "model was asked; a model that writes more slowly than its pace is late.",
    )
    return Table("chats", "Chats by system: length, endings, failures and pace.", columns, rows, notes)


def _simulated_notes(study: Reported) -> Iterator[str]:
    if study.is_simulated:
        yield "Simulated: a seeded program wrote the testers’ side, not people."


def _measures(figures: list[SystemFigures]) -> Iterator[tuple[str, Measure]]:
    yield "Chats begun", lambda one: one.begun
    yield "Chats finished", lambda one: one.finished
    yield "Chats left by the tester", lambda one: one.left
    yield "Chats scored", lambda one: one.scored
    yield "Empty chats", lambda one: one.empty
    for label, part in (("Tester’s turns", "turns"), ("Messages", "messages"), ("Minutes", "minutes")):
        yield f"{label}, median", _part(part, "median")
        yield f"{label}, least", _part(part, "least")
        yield f"{label}, most", _part(part, "most")
    for limit, words in chat_causes.LIMITS.items():
        yield f"Ended by {words}", lambda one, limit=limit: one.limits[limit]  # type: ignore[misc]
    yield "Replies", lambda one: one.replies
    yield from _shares("Replies broken off", "aborted", chat_causes.ABORTED, figures)
    yield from _shares("Replies failed", "failed", chat_causes.FAILED, figures)
    for label, part in (("Wait for a reply", "waits"), ("Bubbles later than planned", "late")):
        yield f"{label}, seconds, median", _part(part, "median")
        yield f"{label}, seconds, 95th percentile", _part(part, "p95")


def _part(part: str, end: str) -> Measure:
    def cell(one: SystemFigures) -> Cell:
        found: Spread | Tail | None = getattr(one, part)
        return getattr(found, end) if found else None

    return cell


def _shares(
    label: str, part: str, words: Mapping[str, str], figures: list[SystemFigures]
) -> Iterator[tuple[str, Measure]]:
    """The share of all replies, and of those of each cause that occurs with any system."""
    yield f"{label}, %", lambda one: _percent(sum(getattr(one, part).values()), one.replies)
    for cause in sorted({cause for one in figures for cause in getattr(one, part)}):
        name = f"{label} because {words.get(cause, cause)}, %"
        yield name, lambda one, cause=cause: _percent(getattr(one, part).get(cause, 0), one.replies)  # type: ignore[misc]


def _percent(count: int, of: int) -> float | None:
    return 100 * count / of if of else None


def lengths_by_side(study: Reported, found: Findings, chats: ChatFindings) -> Table:
    """Words a message, ACMC and turns by number of messages, of testers and of systems."""
    columns = (
        Column("System", numeric=False),
        Column("Side", numeric=False),
        Column("Words/message, whitespace tokens"),
        Column("Words/message, words only"),
        Column("ACMC"),
        *(Column(length, group="Messages in a turn, % of turns") for length in RUN_LENGTHS),
        Column("Turns"),
    )
    rows: list[tuple[Cell, ...]] = []
    slugs = []
    for version in found.versions:
        for side in SIDES:
            one = chats.sides[version.slug, side]
            shares = run_shares(one)
            rows.append((version.symbol, side, one.words_whitespace, one.words_only, one.acmc, *shares, one.turns))
            slugs.append(version.hue)
    notes = (
        *provenance(study, found, ratings=False),
        *_simulated_notes(study),
        "Over the chats that have scores. In brackets: 95 % interval of a ratio, chats being the observations; n "
        "counts chats. A turn is all that one side sent in a row.",
    )
    caption = "Words a message, ACMC and messages in a turn, by system and side."
    return Table("lengths-by-side", caption, columns, tuple(rows), notes, tuple(slugs))
