"""What judges said as tables and as plain data: the paper's Tables 1 and 2, differences, repeats, what is missing."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from hashlib import sha256
from itertools import combinations
from typing import Any

from core.tables import Cell, Column, Table
from dialogues.display import DEMO_LABEL
from dialogues.published import published_table
from generation.endpoints import shutdowns
from generation.judgements import notes, scores
from generation.judgements.drift import Drift, Occasion, drift
from generation.judgements.loading import Findings, Verdict
from generation.judgements.score_tables import (
    INTERVAL,
    JudgeMeans,
    Writers,
    is_hidden,
    score_table,
)
from generation.judgements.scores import Place

BASE = "beta"


def judge_tables(found: Findings, *, dashes: bool = True) -> dict[str, Table]:
    """Every table by slug, in page order; `dashes` hides what the rubric hides (α's On-topic, as in the paper)."""
    judges = list(enumerate(found.judges, 1))
    tables = [score_table(_means(found, verdict), f"scores-{number}", dashes=dashes) for number, verdict in judges]
    tables += [published_table(number).as_table() for number in notes.TABLES]
    tables += [_differences(found, verdict, number, dashes) for number, verdict in judges]
    tables += [_spread(found), _drift(found), _agreement(found), _calls(found)]
    return {table.slug: table for table in tables if table.rows}


def as_json(found: Findings) -> dict[str, Any]:
    """The figures as plain data, by metric key and version slug; scores that tables print as a dash included."""
    return {
        "corpus": found.corpus.name,
        "dialogues": found.dialogues,
        "demo_writers": sorted(found.demo_writers),
        "judges": [_judge_json(verdict) for verdict in found.verdicts],
    }


def marked(table: Table, *, has_demo: bool) -> Table:
    """The table with a column that labels every row if texts or scores come from the demo."""
    label = DEMO_LABEL if has_demo and not table.slug.startswith("published-") else ""
    rows = tuple((*row, label) for row in table.rows)
    return replace(table, columns=(*table.columns, Column("demo", numeric=False)), rows=rows)


def judge_label(found: Findings, verdict: Verdict) -> str:
    """The model, and what distinguishes it from other judges with the same model."""
    same = [other for other in found.verdicts if other.name == verdict.name and other is not verdict]
    marks = {
        f"prompt {verdict.prompt}": any(other.key.prompt != verdict.key.prompt for other in same),
        verdict.rubric: any(other.key.rubric != verdict.key.rubric for other in same),
        "text as stored" if not verdict.key.tidy else "tidied text": any(
            other.key.tidy != verdict.key.tidy for other in same
        ),
    }
    marks[f"at {verdict.key.address}"] = any(other.key.address != verdict.key.address for other in same)
    marks |= {
        _setting(name, verdict): any(_setting(name, other) != _setting(name, verdict) for other in same)
        for name in sorted({name for one in (verdict, *same) for name in one.parameters})
    }
    told = ", ".join(mark for mark, needed in marks.items() if needed)
    return f"{verdict.name} ({told})" if told else verdict.name


def _setting(name: str, verdict: Verdict) -> str:
    """ "temperature 0.5"; a schema is shown as a few letters of its hash, to tell two apart."""
    value = verdict.parameters.get(name)
    if isinstance(value, dict):
        return f"{name} {sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:6]}"
    return f"{name} not set" if value is None else f"{name} {value}"


def judge_identity(found: Findings, verdict: Verdict) -> Iterator[str]:
    """Who a judge is, for a reader of tables that only print its label."""
    label = judge_label(found, verdict)
    about = notes.settings_of(verdict.rubric, verdict.prompt, verdict.parameters, tidy=verdict.key.tidy)
    yield f"Judge {label}: model {verdict.name}, {about}."
    yield from _shutdown(found, verdict)
    yield from notes.demo_judge(verdict.name, is_demo=verdict.is_demo)


def _shutdown(found: Findings, verdict: Verdict) -> Iterator[str]:
    return shutdowns.in_words(found.days, f"judge {judge_label(found, verdict)}", verdict.key.address, verdict.name)


def _means(found: Findings, verdict: Verdict) -> JudgeMeans:
    waiting = sum(counts.open for counts in verdict.calls.values())
    return JudgeMeans.of(
        verdict.rows,
        _writers(found),
        verdict.metrics,
        label=judge_label(found, verdict),
        name=verdict.name,
        is_demo=verdict.is_demo,
        about=(*notes.missing(verdict.failed, waiting), *_shutdown(found, verdict)),
    )


def _provenance(found: Findings, verdict: Verdict) -> Iterator[str]:
    writers = {row.writer for row in verdict.rows}
    return notes.provenance(verdict.name, writers, found.demo_writers, is_demo=verdict.is_demo)


def _writers(found: Findings) -> Writers:
    return Writers(found.symbols, found.demo_writers)


def _differences(found: Findings, verdict: Verdict, number: int, dashes: bool) -> Table:
    """Versions against the writer's β, paired by background."""
    gaps = scores.differences(verdict.scores, BASE)
    compared = [place for place in _places(found, verdict) if any(place == other for other, _ in gaps)]
    rows = tuple(
        (
            metric.name,
            *(
                gaps[place, metric.key].mean
                if (place, metric.key) in gaps and not is_hidden(metric, place, dashes=dashes)
                else None
                for place in compared
            ),
        )
        for metric in verdict.metrics
    )
    below = (
        *_provenance(found, verdict),
        f"Points of 100 above the same writer's β on the same background. {INTERVAL}",
    )
    caption = f"Differences from β, paired by background, judged by {judge_label(found, verdict)}."
    columns = _writers(found).columns(compared, f" − {found.symbols.get(BASE, '')}")
    return Table(f"differences-{number}", caption, columns, rows if compared else (), below)


def _spread(found: Findings) -> Table:
    """How much a judge's own repeats differ."""
    spreads = {id(verdict): scores.spread(verdict.rows) for verdict in found.verdicts}
    shown = [verdict for verdict in found.verdicts if spreads[id(verdict)]]
    metrics = {metric.key: metric.name for verdict in shown for metric in verdict.metrics}
    rows = tuple((name, *(spreads[id(verdict)].get(key) for verdict in shown)) for key, name in metrics.items())
    columns = (Column("Metric", numeric=False), *(Column(judge_label(found, verdict)) for verdict in shown))
    note = (
        "Points of 100. Standard deviation of a dialogue's repeated scores, averaged over the dialogues that were "
        "judged more than once (divided by the repeats less one); n counts those dialogues. In brackets: 95 % "
        "interval."
    )
    return Table("repeats", "Spread of a judge's repeated scores of one dialogue.", columns, rows, (note,))


def _drift(found: Findings) -> Table:
    """How a judge's scores of the same dialogues changed since it was first asked."""
    rows: list[tuple[Cell, ...]] = []
    for verdict in found.verdicts:
        for first, later, by_metric in _drifts(verdict):
            dates = (f"{first.at:%Y-%m-%d}", f"{later.at:%Y-%m-%d}")
            rows += [
                (judge_label(found, verdict), *dates, metric.name, row.change, row.size, row.dialogues)
                for metric in verdict.metrics
                if (row := by_metric.get(metric.key))
            ]
    columns = (
        Column("Judge", numeric=False),
        Column("From", numeric=False),
        Column("To", numeric=False),
        Column("Metric", numeric=False),
        Column("Change"),
        Column("Size"),
        Column("Dialogues", 0),
    )
    note = (
        "Points of 100, the later run minus the judge's first, over the dialogues that both scored; dates are those on "
        f"which the runs began (UTC). {INTERVAL} Size: the mean change of a dialogue's score, up or down; the "
        "spread of repeats says how much of that is chance. An interval that leaves out 0 suggests that another model "
        "answers to the same name now."
    )
    return Table("drift", "Change of a judge's scores since it was first asked.", columns, tuple(rows), (note,))


def _drifts(verdict: Verdict) -> Iterator[tuple[Occasion, Occasion, dict[str, Drift]]]:
    """Each later occasion beside the first, where both scored a dialogue."""
    for later in verdict.occasions[1:]:
        first = verdict.occasions[0]
        if found := drift(first, later):
            yield first, later, found


def _agreement(found: Findings) -> Table:
    """Pearson's r of each pair of judges."""
    rows: list[tuple[Cell, ...]] = []
    for first, second in combinations(found.verdicts, 2):
        same = scores.correlation(first.rows, second.rows)
        for metric in first.metrics:
            if metric.key in same:
                r, n = same[metric.key]
                rows.append((judge_label(found, first), judge_label(found, second), metric.name, r, n))
    columns = (
        Column("Judge", numeric=False),
        Column("and", numeric=False),
        Column("Metric", numeric=False),
        Column("r"),
        Column("Dialogues"),
    )
    note = "Pearson's r of two judges' scores over the dialogues that both judged; — where one of them never varies."
    return Table("judges", "Agreement of judges with each other.", columns, tuple(rows), (note,))


def _calls(found: Findings) -> Table:
    """How many calls were asked, scored, failed and are waiting; failed calls are in no mean."""
    symbols = found.symbols
    order = {version.slug: place for place, version in enumerate(found.versions)}
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (judge_label(found, verdict), writer or "—", symbols[version],
         counts.asked, counts.usable, counts.failed, counts.open)
        for verdict in found.verdicts
        for (writer, version), counts in sorted(verdict.calls.items(), key=lambda row: (row[0][0], order[row[0][1]]))
    )  # fmt: skip
    columns = (
        Column("Judge", numeric=False),
        Column("Written by", numeric=False),
        Column("Version", numeric=False),
        Column("Asked"),
        Column("Scored"),
        Column("Failed"),
        Column("Waiting"),
    )
    note = (
        "Counts judgements: one dialogue, one judge, one repeat. What failed or is still waiting has no score and is "
        "in no mean; nothing is ever put in its place."
    )
    return Table("calls", "Judgements asked for, and what came of them.", columns, rows, (note,))


def _places(found: Findings, verdict: Verdict) -> list[Place]:
    return scores.places(verdict.scores, [version.slug for version in found.versions])


def _judge_json(verdict: Verdict) -> dict[str, Any]:
    means, gaps = scores.means(verdict.scores), scores.differences(verdict.scores, BASE)
    asked = {metric.key: metric for metric in verdict.metrics}
    return {
        "model": verdict.name,
        "address": verdict.key.address,
        "parameters": verdict.parameters,
        "prompt": verdict.prompt,
        "rubric": verdict.rubric,
        "tidied": verdict.key.tidy,
        "demo": verdict.is_demo,
        "means": [
            {**place._asdict(), "metric": metric, **mean._asdict(),
             "paper": notes.paper_figure(asked[metric], place)}
            for (place, metric), mean in means.items()
        ],
        "differences": [
            {**place._asdict(), "from": BASE, "metric": metric, **gap.mean._asdict(), "effect": gap.effect,
             "higher": gap.higher}
            for (place, metric), gap in gaps.items()
        ],
        "repeats": {metric: spread._asdict() for metric, spread in scores.spread(verdict.rows).items()},
        "drift": [
            {"from": first.at.isoformat(), "to": later.at.isoformat(), "metric": metric, **row.change._asdict(),
             "size": row.size, "dialogues": row.dialogues}
            for first, later, by_metric in _drifts(verdict)
            for metric, row in by_metric.items()
        ],
        "dollars": float(verdict.spent),
        "dollars_a_dialogue": verdict.dollars_a_dialogue,
        "calls": [
            {"writer": writer, "version": version, **asdict(counts)}
            for (writer, version), counts in verdict.calls.items()
        ],
    }  # fmt: skip
