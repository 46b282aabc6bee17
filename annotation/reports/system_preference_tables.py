"""What testers preferred at the end of a study of chats, as the report's table. Pure."""

from collections.abc import Iterator

from annotation.reports.chat_findings import ChatFindings
from annotation.reports.findings import Findings
from annotation.reports.notes import provenance
from annotation.reports.preferences import Rate
from annotation.reports.reported import Reported
from annotation.reports.system_preferences import OrderSplit, PreferenceFindings
from core.numbers import count_in_words
from core.tables import Cell, Column, Estimate, Table


def preferred_systems(study: Reported, found: Findings, chats: ChatFindings) -> Iterator[Table]:
    """One table, or none where nobody was asked."""
    said = chats.preference
    if said is None:
        return
    columns = (
        Column("Answer", numeric=False),
        Column("Testers"),
        Column("Of those who answered, %", 1),
        Column("Of those who met it first", numeric=False),
        Column("Of those who met it second", numeric=False),
    )
    rows: list[tuple[Cell, ...]] = []
    for version in found.versions:
        one = said.systems[version.slug]
        rows.append((version.symbol, one.count, _percent(one.share), _split(one.met_first), _split(one.met_second)))
    rows.append(("About the same", said.same, None, None, None))
    rows.append(("Would rather not say", said.unsaid, None, None, None))
    caption = "Which system testers preferred, asked once after their last chat."
    notes = (*provenance(study, found, ratings=False), *_notes(study, said))
    yield Table("preferred-systems", caption, columns, tuple(rows), notes)


def _notes(study: Reported, said: PreferenceFindings) -> Iterator[str]:
    if study.is_simulated:
        yield "Simulated: a seeded program gave these answers, not people."
    yield (
        "Each tester whose ratings count has one answer, their last; testers are the observations. In brackets: "
        "Wilson’s (1927) 95 % score interval over testers; n counts those who answered, with those to whom both "
        "were about the same."
    )
    if said.p is None or said.p_order is None:
        yield "Nobody preferred one system, so there is nothing to test."
        return
    yield (
        f"Exact two-sided sign test among the {count_in_words(said.decided, 'tester')} with a preference: "
        f"p = {said.p:.4f}."
    )
    first = round((said.first.value or 0) * said.decided)
    yield (
        f"Order: {first:,} of these {said.decided:,} preferred the system that they had met first "
        f"(95 % interval {_interval(said.first)}; p = {said.p_order:.4f}); 50 % is no effect of order."
    )


def _interval(rate: Rate) -> str:
    return f"{100 * (rate.low or 0):.1f} to {100 * (rate.high or 0):.1f} %"


def _percent(rate: Rate) -> Cell:
    if rate.value is None:
        return None
    return Estimate(rate.value, rate.n, rate.low, rate.high, rate.no_interval).times(100)


def _split(split: OrderSplit) -> str:
    return f"{split.preferred:,} of {split.testers:,}"
