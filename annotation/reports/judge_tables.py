"""Tables of humans and judges: how well judges agree with a study's raters, and means with the judges' help."""

from collections.abc import Collection, Iterator, Sequence
from math import factorial

from annotation.reports.bootstrap import DRAWS, ENOUGH_CLUSTERS
from annotation.reports.difference_tables import metric_and_pair
from annotation.reports.findings import Findings, shown_pairs
from annotation.reports.judge_measures import (
    FEWER_DRAWS,
    MANY_ITEMS,
    TOO_FEW_VERSIONS,
    Beside,
    JudgeFacts,
    Powered,
    VersionLevel,
)
from annotation.reports.models.alternative_annotator import (
    CROWD,
    ENOUGH_RATERS,
    EXPERT,
    TRAINED,
    AlternativeAnnotator,
)
from annotation.reports.models.correlations import KENDALL, PEARSON, SPEARMAN
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.prediction_powered import PoweredMean
from annotation.reports.notes import PERCENTILES, are_few, hidden_note, listed, provenance
from annotation.reports.reported import Reported
from core.tables import Cell, Column, Estimate, Label, Table
from dialogues.display import DEMO_LABEL
from dialogues.rubric import Metric
from generation.judgements.score_tables import score_table

COEFFICIENTS = {PEARSON: "Pearson’s r", SPEARMAN: "Spearman’s ρ", KENDALL: "Kendall’s τ-b"}
ALIKE, BIAS, TEST = "Raters’ mean and judge", "Judge − raters", "Alternative annotator test"
_FEWER = f"With fewer than {ENOUGH_CLUSTERS} backgrounds"
FEW_FOR_COEFFICIENTS = f"{_FEWER} intervals of coefficients can be too narrow; those of bias are not."
# Clustered errors of slopes need more than intervals of means and of agreement: see docs/method/coverage.md.
ENOUGH_FOR_RISES = 24
FEW_FOR_RISES = (
    f"With fewer than {ENOUGH_FOR_RISES} backgrounds the intervals of the last column can be too narrow; "
    "the others are not."
)


def judge_tables(
    study: Reported, found: Findings, judges: Sequence[JudgeFacts], *, dashes: bool, paper: bool = True
) -> list[Table]:
    """The paper's Table 1 of each judge, and those of the six tables of all judges for which they scored enough."""
    tables = (
        *(
            score_table(judge.scores, "table-1" if number == 1 else f"table-1-{number}", dashes=dashes, paper=paper)
            for number, judge in enumerate(judges, 1)
        ),
        _beside(study, found, judges),
        _by_version(study, found, judges),
        _bias(study, found, judges, dashes=dashes),
        _cost(study, found, judges),
        _powered(study, found, judges, dashes=dashes),
        _powered_differences(study, found, judges, dashes=dashes),
    )
    return [table for table in tables if table]


def _beside(study: Reported, found: Findings, judges: Sequence[JudgeFacts]) -> Table | None:
    """Each judge beside the raters, by metric and over all versions; None where no judge scored a rated dialogue."""
    pairs = _pairs(found, judges)
    if not pairs:
        return None
    columns = (
        Column("Judge", numeric=False),
        Column("Metric", numeric=False),
        *(Column(label, group=ALIKE) for label in COEFFICIENTS.values()),
        Column("Bias", group=BIAS),
        Column("ω", group=TEST),
        Column("As near, %", 0, group=TEST),
    )
    rows = tuple((_named(judge), metric.name, *_beside_cells(both)) for judge, metric, both in pairs)
    shown = [both for *_, both in pairs]
    notes = (*provenance(study, found), *_identities(judges), *_beside_notes(study, found, shown))
    return Table("judges", "Judges beside the raters, by metric, all versions together.", columns, rows, notes)


def _by_version(study: Reported, found: Findings, judges: Sequence[JudgeFacts]) -> Table | None:
    """The same of version means; None where there are too few versions for any metric."""
    pairs = _pairs(found, judges)
    levels = [both.by_version for *_, both in pairs]
    counted = {level.versions for level in levels if not isinstance(level.correlations, Unfit)}
    if not counted:
        return None
    columns = (
        Column("Judge", numeric=False),
        Column("Metric", numeric=False),
        Column("Versions"),
        *(Column(label, group=ALIKE) for label in COEFFICIENTS.values()),
    )
    rows = tuple(
        (_named(judge), metric.name, both.by_version.versions, *_version_cells(both.by_version))
        for judge, metric, both in pairs
    )
    notes = (
        *provenance(study, found),
        *_identities(judges),
        *_version_notes(levels, counted),
        *hidden_note(found),
    )
    caption = f"Judges beside the raters, by metric: means of {_counts(counted)} versions."
    return Table("judge-versions", caption, columns, rows, notes)


def _version_cells(level: VersionLevel) -> tuple[Cell, ...]:
    known = level.correlations
    return (None,) * len(COEFFICIENTS) if isinstance(known, Unfit) else tuple(known[name] for name in COEFFICIENTS)


def _version_notes(levels: Sequence[VersionLevel], counted: Collection[int]) -> Iterator[str]:
    yield (
        "One point is a version: the mean of the raters and that of the judge over the items of the version that both "
        "scored. A coefficient is “—” where raters or judge give all versions one mean."
    )
    for versions in sorted(counted):
        yield (
            f"Over {versions:,} versions. A judge that put them in order at random would hit on the raters’ order once "
            f"in {factorial(versions):,}."
        )
    yield (
        "The coefficients speak of these versions, raters and dialogues. They have no intervals: resampled backgrounds "
        "would add the error of the means once more, so that intervals from them would lie too near to 0."
    )
    if any(isinstance(level.correlations, Unfit) for level in levels):
        yield TOO_FEW_VERSIONS


def _counts(counted: Collection[int]) -> str:
    """ "4", "4 or 5": by the metric."""
    return " or ".join(f"{versions:,}" for versions in sorted(counted))


def _beside_cells(both: Beside) -> tuple[Cell, ...]:
    alternative = both.alternative
    tested = (None, None) if isinstance(alternative, Unfit) else (alternative.winning_rate, 100 * alternative.advantage)
    return (*(both.correlations[name] for name in COEFFICIENTS), both.bias.mean, *tested)


def _pairs(found: Findings, judges: Sequence[JudgeFacts]) -> list[tuple[JudgeFacts, Metric, Beside]]:
    return [
        (judge, metric, judge.beside[metric.key])
        for judge in judges
        for metric in found.metrics
        if metric.key in judge.beside
    ]


def _bias(study: Reported, found: Findings, judges: Sequence[JudgeFacts], *, dashes: bool) -> Table | None:
    """Whom a judge favours: its bias by version, and with length."""
    pairs = _pairs(found, judges)
    if not pairs:
        return None
    columns = (
        Column("Judge", numeric=False),
        Column("Metric", numeric=False),
        *(Column(version.symbol, group=BIAS) for version in found.versions),
        Column("per 100 words", group="Rises"),
    )
    rows = []
    for judge, metric, both in pairs:
        by_version = [
            None if dashes and version.slug in metric.dash_for else bias
            for version, bias in zip(found.versions, both.bias.by_version, strict=True)
        ]
        rows.append((_named(judge), metric.name, *by_version, both.bias.per_100_words))
    rising = [both.backgrounds for _, _, both in pairs if both.bias.per_100_words]
    notes = (
        *provenance(study, found),
        *_identities(judges),
        "Points of the study’s scale by which the judge scores higher than the mean of the raters; n counts items. A "
        "judge whose bias differs between versions changes their difference by as much.",
        "Rises: points by which the bias grows per 100 additional words, among dialogues of one version (least "
        "squares, errors clustered by background; Liang and Zeger 1986). Above 0 the judge favours long dialogues "
        "more than the raters do. “—” where all dialogues of a version are of one length.",
        "In brackets: 95 % intervals for these raters and this judge, Student’s t over backgrounds.",
        *([FEW_FOR_RISES] if are_few(rising, ENOUGH_FOR_RISES) else []),
        *hidden_note(found),
    )
    return Table("judge-bias", "Judges’ bias, by version and by length.", columns, tuple(rows), notes)


def _beside_notes(study: Reported, found: Findings, shown: Sequence[Beside]) -> Iterator[str]:
    scale = study.rubric.scale
    yield (
        "One point is an item: the mean of its raters’ scores, and the mean of the judge’s repeats, brought from 0–100 "
        f"to the study’s {scale.low} to {scale.high} in a straight line; n counts items. A coefficient is “—” where "
        "raters or judge give all items one score. Spearman’s ρ is Pearson’s r of mid-ranks; τ-b allows for ties "
        "(Kendall 1945). Bias: points by which the judge scores higher."
    )
    draws = f"{DRAWS:,} seeded resamples of the backgrounds"
    if any(both.items > MANY_ITEMS for both in shown):
        draws += f" ({FEWER_DRAWS} of more than {MANY_ITEMS:,} items)"
    yield (
        f"In brackets: 95 % intervals for these raters and this judge: of coefficients "
        f"{PERCENTILES} of {draws}; of bias Student’s t over backgrounds. They do not speak of other raters."
    )
    if are_few(both.backgrounds for both in shown):
        yield FEW_FOR_COEFFICIENTS
    if all(isinstance(both.by_version.correlations, Unfit) for both in shown):
        yield TOO_FEW_VERSIONS
    yield from _test_notes(shown)
    yield from hidden_note(found)


def _test_notes(shown: Sequence[Beside]) -> Iterator[str]:
    yield (
        "Alternative annotator test (Calderon, Reichart and Dror 2025): each rater is left out in turn, and the judge "
        "and that rater are compared with the others’ scores; ω is the share of raters against whom the judge wins. "
        f"From {ENOUGH_RATERS:g} on, the judge may stand in for a rater. ε = {CROWD:g}, the authors’ value for crowd "
        f"workers and their strictest ({TRAINED:g} for trained people, {EXPERT:g} for experts). t tests over "
        "backgrounds, false discoveries held at 5 %. As near: mean share of items on which the judge is as near to the "
        "others as the rater left out, or nearer."
    )
    tests = [both.alternative for both in shown]
    yield from dict.fromkeys(
        sentence for test in tests if isinstance(test, AlternativeAnnotator) for sentence in test.limits
    )
    yield from dict.fromkeys(f"“—” under ω: {test.reason}" for test in tests if isinstance(test, Unfit))


def _cost(study: Reported, found: Findings, judges: Sequence[JudgeFacts]) -> Table | None:
    """What a dialogue costs: minutes of a rater, dollars of a judge."""
    if not judges:
        return None
    columns = (
        Column("Who", numeric=False),
        Column("Median", group="Minutes an item"),
        Column("Lower quartile", group="Minutes an item"),
        Column("Upper quartile", group="Minutes an item"),
        Column("Dollars a dialogue", 4),
        Column("Of", numeric=False),
    )
    minutes = found.minutes
    people: tuple[Cell, ...] = (
        ("A rater", minutes.median, minutes.low, minutes.high, None, f"{minutes.n:,} timed ratings")
        if minutes
        else ("A rater", None, None, None, None, "no timed ratings")
    )
    rows = (
        people,
        *((_named(judge), None, None, None, judge.dollars, f"{judge.judged:,} dialogues") for judge in judges),
    )
    notes = (
        *provenance(study, found),
        *_identities(judges),
        "Minutes: from opening an item to submitting all its scores, in ratings that count. Dollars: all calls of the "
        "judge in this corpus by its endpoint’s prices, repeats, repairs and failures included, over the dialogues "
        "that it scored. What raters are paid is in the methods text.",
    )
    return Table("judge-cost", "What a dialogue costs: a rater’s minutes, a judge’s dollars.", columns, rows, notes)


def _powered(study: Reported, found: Findings, judges: Sequence[JudgeFacts], *, dashes: bool) -> Table | None:
    """Means of people with the judge's help."""
    cells = [
        (metric.name, version, judge, judge.powered[metric.key, version.slug])
        for metric in found.metrics
        for version in found.versions
        for judge in judges
        if (metric.key, version.slug) in judge.powered and not (dashes and version.slug in metric.dash_for)
    ]
    scale = study.rubric.scale
    said = f"Mean score from {scale.low} to {scale.high} over backgrounds, each with the mean of its dialogues."
    return _powered_table(
        "prediction-powered",
        "Prediction-powered means: what these raters would say of every judged background.",
        "Version",
        [(metric, version.symbol, judge, one) for metric, version, judge, one in cells],
        (*provenance(study, found), *_identities(judges), said),
    )


def _powered_differences(
    study: Reported, found: Findings, judges: Sequence[JudgeFacts], *, dashes: bool
) -> Table | None:
    """The same of differences between versions, paired by background."""
    cells = [
        (*metric_and_pair(found, key), judge, judge.gaps[key])
        for key in shown_pairs(found, dashes=dashes)
        for judge in judges
        if key in judge.gaps
    ]
    return _powered_table(
        "prediction-powered-differences",
        "Prediction-powered differences between versions.",
        "Versions",
        cells,
        (*provenance(study, found), *_identities(judges), "Points of the scale, paired by background; not adjusted."),
    )


def _powered_table(
    slug: str,
    caption: str,
    heading: str,
    cells: Sequence[tuple[str, str, JudgeFacts, Powered]],
    first_notes: tuple[str, ...],
) -> Table | None:
    """None where no judge scored backgrounds that nobody rated."""
    means = [one.mean for *_, one in cells]
    if not any(isinstance(mean, PoweredMean) for mean in means):
        return None
    columns = (
        Column("Metric", numeric=False),
        Column(heading, numeric=False),
        Column("Judge", numeric=False),
        Column("Raters alone"),
        Column("With the judge"),
        Column("λ"),
    )
    rows = tuple((metric, name, _named(judge), *_powered_cells(one)) for metric, name, judge, one in cells)
    notes = (
        *first_notes,
        "n counts backgrounds. Raters alone: those that both raters and the judge scored. With the judge: also "
        "those of the corpus that only the judge scored, in these versions by the same writers.",
        "With the judge: prediction-powered mean (PPI++; Angelopoulos, Duchi and Zrnic 2023): the raters’ mean, plus λ "
        "times the judge’s mean over the other backgrounds minus its mean over the rated ones. λ, from 0 to 1, is "
        "tuned to the least variance; at 0 the judge is ignored. A judge’s bias cancels out if the rated backgrounds "
        "are a random part of the judged ones.",
        "In brackets: 95 % interval for these raters, Student’s t over backgrounds, cut off where no value can lie. "
        "It does not speak of other raters.",
        *dict.fromkeys(f"“—”: {mean.reason}" for mean in means if isinstance(mean, Unfit)),
    )
    return Table(slug, caption, columns, rows, notes)


def _powered_cells(one: Powered) -> tuple[Cell, ...]:
    mean = one.mean
    if isinstance(mean, Unfit):
        return (one.people, None, None)
    return (one.people, Estimate(mean.value, mean.rated + mean.judged, mean.low, mean.high), mean.power)


def _named(judge: JudgeFacts) -> Cell:
    return Label(judge.label, DEMO_LABEL) if judge.is_demo else judge.label


def _identities(judges: Sequence[JudgeFacts]) -> Iterator[str]:
    for judge in judges:
        yield from judge.about
        if judge.reworded:
            yield f"Left out, because {judge.label} was asked in other words than the raters: {listed(judge.reworded)}."
