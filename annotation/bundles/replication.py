"""Every table of a bundle's study computed again from the bundle's data, and the cells that differ.

It knows neither Django nor a database: a bundle carries this very module, with all that it imports.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from annotation.bundles.reading import Bundle, BundleError, Line
from annotation.bundles.table_values import CellDifference, shown_lines, table_differences
from annotation.reports.chat_figures import OF_NO_ACCOUNT, ChatFacts, LoggedEvent, chat_facts
from annotation.reports.chat_findings import ChatFindings, HeldChat, RatedChat, chat_findings
from annotation.reports.columns import StudyItems, StudyScores, Submissions, version_items
from annotation.reports.exploring import Explorable, explored
from annotation.reports.findings import Planned, findings
from annotation.reports.judge_facts import Judge, Rated, judge_facts
from annotation.reports.judge_measures import Minutes
from annotation.reports.models.intervals import Target
from annotation.reports.own_agreement import OwnAgreement, ScoredTwice, measured
from annotation.reports.pair_findings import Decision, PairRow, pair_findings, placed_pairs
from annotation.reports.preference_tables import preference_tables
from annotation.reports.system_preferences import Answer
from annotation.reports.tables import study_tables
from annotation.reports.text_tables import TOKENIZER
from core.tables import Table
from dialogues.counts import COUNT_FIELDS, stored_counts
from dialogues.rubric import from_json
from dialogues.statistics.distinct import encode
from dialogues.statistics.figures import CorpusFigures
from dialogues.statistics.measuring import figures_of_versions, sums_of
from dialogues.times import seconds_of
from dialogues.transcript import Transcript
from generation.judgements.scores import Judged

# Why ratings by the simulator, or by people in a simulated study, are set aside.
OTHER_KIND = ("simulated", "not simulated")
UNSAID = "unsaid"


class Outcome(NamedTuple):
    """What a replication found, of `tables` tables with `cells` cells."""

    study: str
    tables: int
    cells: int
    different: list[CellDifference]


def replicate(folder: Path) -> Outcome:
    """Compute all tables of the bundle in `folder` again; raises BundleError where it cannot be read."""
    try:
        bundle = Bundle(folder)
        again, stored = recomputed_tables(bundle), bundle.stored_tables
        different = [
            difference
            for slug in dict.fromkeys([*again, *stored])
            for difference in table_differences(stored.get(slug), again.get(slug))
        ]
        different += _mistold(bundle)
    except (OSError, KeyError, IndexError, TypeError, ValueError, csv.Error) as error:
        raise error if isinstance(error, BundleError) else BundleError(f"{type(error).__name__}: {error}") from error
    cells = sum(len(row) for table in again.values() for row in table.rows)
    return Outcome(bundle.about["study"]["name"], len(again), cells, different)


def _mistold(bundle: Bundle) -> list[CellDifference]:
    """Cells whose text in the bundle is not that of their value in the bundle."""
    return [
        CellDifference(slug, f"row {number}", f"column {place} as shown", told, text)
        for slug, table in bundle.stored_tables.items()
        for number, (line, texts) in enumerate(zip(shown_lines(table), bundle.stored_text[slug], strict=True), 1)
        for place, (text, told) in enumerate(zip(line, texts, strict=True), 1)
        if text != told
    ]


def recomputed_tables(bundle: Bundle) -> dict[str, Table]:
    """Every table of the report, by slug, in page order."""
    return _pair_tables(bundle) if bundle.study.compares else _score_tables(bundle)


def _score_tables(bundle: Bundle) -> dict[str, Table]:
    study, metrics = bundle.study, bundle.study.rubric.metrics
    items = _items(bundle)
    scores = _scores(bundle, [metric.key for metric in metrics], bundle.scores, bundle.counted_raters)
    chats = _chats(bundle, [version.slug for version in items.versions]) if study.has_chats else None
    primary = bundle.about["primary"]
    family = primary["family"]
    found = findings(
        items,
        scores,
        metrics,
        study.rubric.scale,
        study.seed,
        Planned(
            Target(primary["target"]),
            None if family is None else {(metric, first, second) for metric, first, second in family},
        ),
    )
    found = explored(study, found, items, scores, _explorable(bundle, items), seed=study.seed)
    rated = Rated(items, _numbers(row["dialogue"] for row in bundle.items), scores, metrics, study.rubric.scale)
    facts = [judge_facts(rated, judge, study.seed) for judge in _judges(bundle)]
    judges = tuple(one for one in facts if one)
    found = replace(
        found,
        chats=chats,
        judges=judges,
        minutes=_minutes(bundle) if judges else None,
        own_agreement=_own_agreement(bundle),
    )
    return study_tables(study, found) if found.ratings else {}


def _items(bundle: Bundle) -> StudyItems:
    shown = [bundle.dialogues[int(row["dialogue"])] for row in bundle.items]
    used = {row["version"] for row in shown}
    ordered = [version for version in bundle.versions if version.slug in used]
    place = {version.slug: number for number, version in enumerate(ordered)}
    counts = _counts_of_chats(bundle) if bundle.study.has_chats else [_counts([row["messages"]]) for row in shown]
    background = _numbers(row["background"] for row in bundle.items)
    return StudyItems(
        pks=np.arange(len(shown)),
        background=np.unique(background, return_inverse=True)[1],
        version=_numbers(place[row["version"]] for row in shown),
        counts=np.array(counts, dtype=np.int64).reshape(-1, len(COUNT_FIELDS)),
        has_text=np.array([any(row) for row in counts], dtype=np.bool_),
        versions=version_items(ordered, [(row["version"], row["written_by"], row["demo"]) for row in shown]),
    )


def _counts(dialogues: Iterable[Sequence[Any] | None]) -> list[int]:
    """Sums of COUNT_FIELDS over these dialogues' messages; nothing but 0 without any."""
    total: Counter[str] = Counter()
    for messages in dialogues:
        if messages:
            transcript = Transcript.of(messages)
            total.update(stored_counts([one.text for one in transcript.messages], transcript.run_lengths()))
    return [total[name] for name in COUNT_FIELDS]


def _scores(
    bundle: Bundle, metrics: Sequence[str], given: Iterable[Mapping[str, str]], raters: Mapping[str, int]
) -> StudyScores:
    """The order of raters, items and metrics is that of the report, so that resamples are the same."""
    places = bundle.item_places
    rows = [row for row in given if row["metric"] in metrics]
    return StudyScores(
        item=_numbers(places[row["item"]] for row in rows),
        rater=_numbers(raters[row["rater"]] for row in rows),
        metric=_numbers(metrics.index(row["metric"]) for row in rows),
        value=np.array([int(row["value"]) for row in rows], dtype=np.float64),
        raters=tuple(bundle.about["raters"][int(number) - 1] for number in raters),
        set_aside=len({row["rating"] for row in bundle.all_scores if row["set_aside"] in OTHER_KIND}),
        screened_out=bundle.screened_out,
    )


def _judges(bundle: Bundle) -> Iterable[Judge]:
    for number, told in enumerate(bundle.about["judges"], 1):
        rows = [
            Judged(
                background=int(row["background"]),
                dialogue=int(row["dialogue"]),
                writer=bundle.dialogues[int(row["dialogue"])]["judged_as"],
                version=bundle.dialogues[int(row["dialogue"])]["version"],
                metric=row["metric"],
                n=int(row["n"]),
                total=float(row["total"]),
                squares=float(row["squares"]),
            )
            for row in bundle.judgements
            if int(row["judge"]) == number
        ]
        yield Judge(
            label=told["label"],
            name=told["name"],
            is_demo=told["is_demo"],
            about=tuple(told["about"]),
            metrics=from_json(told["metrics"]),
            rows=rows,
            dollars=told["dollars_a_dialogue"],
            judged=told["dialogues"],
            demo_writers=frozenset(told["demo_writers"]),
        )


def _explorable(bundle: Bundle, items: StudyItems) -> Explorable:
    metrics = [metric.key for metric in bundle.study.rubric.metrics]
    raters = bundle.counted_raters
    screened_out = {row["rater"] for row in bundle.raters if row["screened_out"] == "True"}
    return Explorable(
        submitted=None if bundle.study.is_imported else _submissions(bundle),
        everyone=_scores(bundle, metrics, bundle.candidates_scores, bundle.candidates),
        screened_out=[place for number, place in raters.items() if number in screened_out],
        texts=None if bundle.study.has_chats else _texts(bundle),
    )


def _submissions(bundle: Bundle) -> Submissions:
    """Ratings have numbers in the order of submission."""
    ratings = {int(row["rating"]): row for row in bundle.scores}
    rows = [ratings[number] for number in sorted(ratings)]
    return Submissions(
        _numbers(bundle.item_places[row["item"]] for row in rows),
        _numbers(bundle.counted_raters[row["rater"]] for row in rows),
        np.array([float(row["seconds"] or "nan") for row in rows], dtype=np.float64),
    )


def _texts(bundle: Bundle) -> CorpusFigures | None:
    """Of every dialogue that raters read, by age."""
    shown = {int(row[name]) for row in bundle.items for name in ("dialogue", "other_dialogue") if row[name]}
    by_version: dict[str, list[Line]] = {}
    for number in sorted(shown):
        dialogue = bundle.dialogues[number]
        if dialogue["messages"]:
            by_version.setdefault(dialogue["version"], []).append(dialogue)
    versions = [version for version in bundle.versions if version.slug in by_version]
    if not versions:
        return None
    return figures_of_versions(
        versions,
        {slug: sums_of([(_counted(one), one["demo"]) for one in ones], TOKENIZER) for slug, ones in by_version.items()},
        {
            slug: encode(([text for _, text in one["messages"]] for one in ones), TOKENIZER)
            for slug, ones in by_version.items()
        },
        name=bundle.about["study"]["name"],
        tokenizer=TOKENIZER,
    )


def _counted(dialogue: Line) -> dict[str, int]:
    return dict(zip(COUNT_FIELDS, _counts([dialogue["messages"]]), strict=True))


def _minutes(bundle: Bundle) -> Minutes | None:
    seconds = {row["rating"]: float(row["seconds"]) for row in bundle.scores if row["seconds"]}
    return Minutes.of(np.array(list(seconds.values())))


def _own_agreement(bundle: Bundle) -> Mapping[str, OwnAgreement]:
    if not bundle.study.hidden_repeats:
        return {}
    first = {(row["item"], row["rater"], row["metric"]): int(row["value"]) for row in bundle.scores}
    backgrounds = {row["item"]: int(row["background"]) for row in bundle.items}
    twice = [
        ScoredTwice(
            member=int(row["rater"]),
            item=int(row["item"]),
            background=backgrounds[row["item"]],
            metric=row["metric"],
            first=first[row["item"], row["rater"], row["metric"]],
            second=int(row["value"]),
        )
        for row in bundle.second_scores
        if (row["item"], row["rater"], row["metric"]) in first
    ]
    return measured(twice, [metric.key for metric in bundle.study.rubric.metrics], seed=bundle.study.seed)


def _numbers(values: Iterable[Any]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(value) for value in values], dtype=np.int64)


# --- chats ----------------------------------------------------------------------------------------


def _chats(bundle: Bundle, slugs: Sequence[str]) -> ChatFindings:
    rated = {row["rating"]: row for row in bundle.scores}
    items = {row["item"]: row for row in bundle.items}
    facts = dict(chat_facts(_events(bundle.chats)))
    return chat_findings(
        slugs,
        [
            RatedChat(
                bundle.dialogues[int(items[row["item"]]["dialogue"])]["version"],
                int(row["rater"]),
                int(items[row["item"]]["background"]),
            )
            for row in rated.values()
        ],
        [HeldChat(chat["version"], facts.get(chat["chat"], ChatFacts()), chat["scored"]) for chat in bundle.chats],
        [(chat["version"], messages) for chat in bundle.chats for messages in _messages(bundle, chat)],
        [_answer(row) for row in bundle.answers],
    )


def _events(chats: Iterable[Line]) -> Iterable[LoggedEvent]:
    for chat in chats:
        for event in chat["events"]:
            if event["kind"] not in OF_NO_ACCOUNT:
                at, text, detail = seconds_of(event["at"]), event["text"], event["detail"]
                yield LoggedEvent(chat["chat"], event["number"], at, event["kind"], text, detail)


def _messages(bundle: Bundle, chat: Line) -> list[Any]:
    """The messages of what a chat with scores became; nothing where one side said nothing."""
    return [bundle.texts[chat["dialogue"]]] if chat["scored"] and chat["dialogue"] else []


def _counts_of_chats(bundle: Bundle) -> list[list[int]]:
    """Of each item, over its chats with scores."""
    found: dict[tuple[str, str], list[Any]] = {}
    for chat in bundle.chats:
        found.setdefault((chat["version"], chat["background"]), []).extend(_messages(bundle, chat))
    return [
        _counts(
            found.get(
                (bundle.dialogues[int(row["dialogue"])]["version"], bundle.dialogues[int(row["background"])]["key"]), []
            )
        )
        for row in bundle.items
    ]


def _answer(row: Mapping[str, str]) -> Answer:
    return Answer(row["met_first"], row["met_second"], None if row["choice"] == UNSAID else row["preferred"])


# --- pairs ----------------------------------------------------------------------------------------


def _pair_tables(bundle: Bundle) -> dict[str, Table]:
    rows = []
    for item in bundle.items:
        first, second = (bundle.dialogues[int(item[name])] for name in ("dialogue", "other_dialogue"))
        key, background = int(item["item"]), int(item["background"])
        rows.append(PairRow(key, background, first["version"], second["version"], first["demo"], second["demo"]))
    decisions = [
        Decision(
            item=int(row["item"]),
            rater=int(row["rater"]),
            metric=row["metric"],
            value=int(row["value"]),
            is_flipped=(row["item"], row["rater"]) in bundle.flipped,
            rating=int(row["rating"]),
        )
        for row in bundle.scores
    ]
    symbols = {version.slug: version.symbol for version in bundle.versions}
    study = bundle.study
    names = dict(enumerate(bundle.about["raters"], 1))
    known, metrics = placed_pairs(symbols, rows), study.rubric.metrics
    found = pair_findings(known, metrics, decisions, study.seed, names, bundle.screened_out)
    found = replace(found, own_agreement=_own_agreement(bundle), texts=_texts(bundle))
    return preference_tables(study, found) if found.ratings else {}
