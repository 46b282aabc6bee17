"""Judges beside a study's raters in its report, with every figure worked out again from the rows."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from scipy.stats import kendalltau, pearsonr, spearmanr

from annotation.management.commands.study_report import as_json
from annotation.models import Score, Study
from annotation.reports.figures import FIGURES, drawable
from annotation.reports.judge_measures import (
    ENOUGH_VERSIONS,
    TOO_FEW_VERSIONS,
    JudgedScores,
    beside,
    powered,
    version_level,
)
from annotation.reports.judge_tables import ENOUGH_FOR_RISES, FEW_FOR_RISES
from annotation.reports.judges import judgements_read
from annotation.reports.loading import findings_of
from annotation.reports.models.alternative_annotator import AlternativeAnnotator, alternative_annotator
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.prediction_powered import PoweredMean
from annotation.reports.notes import FEW_BACKGROUNDS
from annotation.reports.tables import study_tables
from annotation.roles import Role
from core.tables import Cell, Estimate, Label, Table, to_csv
from dialogues.charts import THEMES, rendered
from dialogues.display import DEMO_LABEL
from dialogues.models import Dialogue
from generation.endpoints.addresses import base_of
from generation.models import Call, Judgement, Shutdown
from tests.annotation.judged_study import JudgeScorer, judge, unrated_dialogues
from tests.annotation.rated_study import rated_study, unrated_study
from tests.examples import many
from tests.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OF_TWO_VERSIONS = {"judges", "judge-bias", "judge-cost", "prediction-powered", "prediction-powered-differences"}
TABLES = OF_TWO_VERSIONS | {"judge-versions"}
COEFFICIENTS = (pearsonr, spearmanr, kendalltau)


def tables_of(study: Study, *, dashes: bool = True) -> dict[str, Table]:
    return study_tables(study, findings_of(study), dashes=dashes)


def seeded(seed: int = 5) -> JudgeScorer:
    rng = np.random.default_rng(seed)
    return lambda *_: float(rng.integers(0, 101))


def row(table: Table, *begins: Cell) -> tuple[Cell, ...]:
    (found,) = (cells for cells in table.rows if cells[: len(begins)] == begins)
    return found


def estimate(cell: Cell) -> Estimate:
    assert isinstance(cell, Estimate)
    return cell


def human_means(study: Study, metric: str) -> dict[int, float]:
    """By dialogue, the mean of its raters' scores."""
    rows = Score.objects.filter(rating__assignment__study=study, metric=metric, rating__is_current=True)
    found: dict[int, list[int]] = defaultdict(list)
    for dialogue, value in rows.values_list("rating__assignment__item__dialogue", "value"):
        found[dialogue].append(value)
    return {dialogue: float(np.mean(values)) for dialogue, values in found.items()}


def judge_means(study: Study, metric: str) -> dict[int, float]:
    """By dialogue, the mean of the judgements, from 1 to 5."""
    found: dict[int, list[float]] = defaultdict(list)
    rows = Judgement.objects.filter(dialogue__corpus=study.corpus, metric=metric)
    for dialogue, score in rows.values_list("dialogue", "score"):
        found[dialogue].append(1 + 4 * score / 100)
    return {dialogue: float(np.mean(scores)) for dialogue, scores in found.items()}


def test_coefficients_and_bias_are_those_of_the_stored_scores() -> None:
    study = rated_study()
    judge(study, seeded())
    cells = row(tables_of(study)["judges"], "judge-1", "Natural")
    people, judged = human_means(study, "natural"), judge_means(study, "natural")
    one, other = np.array([(people[pk], judged[pk]) for pk in sorted(people)]).T
    expected = [test(one, other)[0] for test in COEFFICIENTS]
    assert [estimate(cell).value for cell in cells[2:5]] == pytest.approx(expected)
    assert estimate(cells[5]).value == pytest.approx(float(np.mean(other - one)))
    assert {estimate(cell).n for cell in cells[2:6]} == {24}
    for cell in map(estimate, cells[2:6]):
        assert cell.low is not None
        assert cell.high is not None
        assert cell.low < cell.value < cell.high


def test_coefficients_of_version_means_are_those_of_the_stored_scores() -> None:
    study = rated_study()
    judge(study, seeded())
    people, judged = human_means(study, "natural"), judge_means(study, "natural")
    version = dict(study.corpus.dialogues.values_list("pk", "version"))
    means = [
        [np.mean([of[pk] for pk in people if version[pk] == slug]) for slug in sorted(set(version.values()))]
        for of in (people, judged)
    ]
    found = findings_of(study)
    table = study_tables(study, found)["judge-versions"]
    assert table.caption == "Judges beside the raters, by metric: means of 4 versions."
    cells = row(table, "judge-1", "Natural")
    assert cells[2] == 4
    assert cells[3:] == pytest.approx([test(*means)[0] for test in COEFFICIENTS])
    assert any("hit on the raters’ order once in 24." in note for note in table.notes)
    level = as_json(study, found)["judges"][0]["beside"]["natural"]["version_level"]
    assert level["versions"] == 4
    assert tuple(level["correlations"].values()) == cells[3:]


def test_three_versions_are_too_few_for_a_coefficient_of_their_means_and_the_report_says_why() -> None:
    study = rated_study(versions=("alpha", "beta", "gamma"))
    judge(study, seeded())
    found = findings_of(study)
    tables = study_tables(study, found)
    assert "judge-versions" not in tables
    assert TOO_FEW_VERSIONS in tables["judges"].notes
    level = as_json(study, found)["judges"][0]["beside"]["natural"]["version_level"]
    assert level == {"versions": 3, "unfit": TOO_FEW_VERSIONS}


def test_a_metric_judged_on_fewer_versions_than_others_has_a_dash_and_a_reason() -> None:
    study = rated_study()
    judge(study, seeded())
    Judgement.objects.filter(metric="natural", dialogue__version="gamma").delete()
    table = tables_of(study)["judge-versions"]
    assert row(table, "judge-1", "Natural")[2:] == (3, None, None, None)
    assert row(table, "judge-1", "Engaging")[2] == 4
    assert TOO_FEW_VERSIONS in table.notes
    assert TOO_FEW_VERSIONS not in tables_of(study)["judges"].notes


@settings(max_examples=many(200))
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2, 4, 5, 7]), st.integers(1, 5), st.integers(0, 100)), min_size=1, max_size=30
    )
)
def test_version_means_are_compared_exactly_whatever_versions_there_are(items: list[tuple[int, int, int]]) -> None:
    """Thirds and sevenths that are equal stay equal, although their sums are rounded in another order."""
    version, people, judged = (np.array(column) for column in zip(*items, strict=True))
    found = version_level(people / 3, 1 + judged / 25, version, 8)
    known = sorted(set(version.tolist()))
    assert found.versions == len(known)
    exact = [[Fraction(int(column[version == v].sum()), int((version == v).sum())) for v in known]
             for column in (people, judged)]  # fmt: skip
    if len(known) < ENOUGH_VERSIONS:
        assert found.correlations == Unfit(TOO_FEW_VERSIONS)
        return
    assert not isinstance(found.correlations, Unfit)
    if any(len(set(means)) == 1 for means in exact):
        assert set(found.correlations.values()) == {None}
        return
    expected = [test(*(np.array(means, dtype=float) for means in exact))[0] for test in COEFFICIENTS]
    assert tuple(found.correlations.values()) == pytest.approx(expected, abs=1e-6)


def test_a_judge_whose_model_will_be_gone_is_named_with_the_day() -> None:
    study = rated_study(backgrounds=2)
    run = judge(study, seeded())
    said = "The endpoint of judge judge-1 announced that it shuts judge-1 down on 6 January 2027."
    address = base_of(run.run_stages.get().endpoint.base_url)
    told = {"told_at": datetime(2026, 3, 1, tzinfo=UTC)}
    assert said not in tables_of(study)["judges"].notes
    Shutdown.objects.create(address="https://elsewhere.example/v1", model="judge-1", day=date(2027, 1, 6), **told)
    Shutdown.objects.create(address=address, model="judge-2", day=date(2027, 1, 6), **told)
    assert said not in tables_of(study)["judges"].notes
    Shutdown.objects.create(address=address, model="judge-1", day=date(2027, 1, 6), **told)
    for slug in ("judges", "judge-versions", "judge-bias", "judge-cost"):
        assert said in tables_of(study)[slug].notes
    assert said in as_json(study, findings_of(study))["judges"][0]["about"]
    Shutdown.objects.filter(address=address, model="judge-1").delete()
    assert said not in tables_of(study)["judges"].notes


def test_the_interval_of_bias_is_students_over_backgrounds() -> None:
    # Every background has four items, so that the interval is that of the mean of its means.
    study = rated_study(backgrounds=4)
    judge(study, seeded())
    people, judged = human_means(study, "engaging"), judge_means(study, "engaging")
    gaps = defaultdict(list)
    for item in study.items.all():
        gaps[item.background_id].append(judged[item.dialogue_id] - people[item.dialogue_id])
    means = np.array([np.mean(values) for values in gaps.values()])
    half = 3.1824 * means.std(ddof=1) / 2
    found = estimate(row(tables_of(study)["judges"], "judge-1", "Engaging")[5])
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half))


def test_a_judges_hundred_is_the_top_of_the_scale_and_its_nought_the_bottom() -> None:
    study = rated_study(score=lambda *_: 2)
    judge(study, lambda background, version, metric: {"natural": 100, "engaging": 0}.get(metric, 25))
    table = tables_of(study)["judges"]
    biases = {name: estimate(row(table, "judge-1", name)[5]).value for name in ("Natural", "Engaging", "Informative")}
    assert biases == {"Natural": 3, "Engaging": -1, "Informative": 0}
    # Nobody's scores vary, so that nothing correlates.
    assert row(table, "judge-1", "Natural")[2:5] == (None, None, None)


def test_the_alternative_annotator_test_leaves_out_each_of_these_raters() -> None:
    study = rated_study(backgrounds=12)
    judge(study, lambda background, version, metric: 50)
    rows = Score.objects.filter(rating__assignment__study=study, metric="natural")
    fields = ("rating__assignment__membership", "rating__assignment__item", "value")
    scores = {(member, item): value for member, item, value in rows.values_list(*fields)}
    members, items = (sorted({key[place] for key in scores}) for place in (0, 1))
    backgrounds = dict(study.items.values_list("pk", "background_id"))
    found = alternative_annotator(
        np.array([[float(scores[member, item]) for item in items] for member in members]),
        np.full(len(items), 3.0),
        clusters=np.array([backgrounds[item] for item in items]),
    )
    assert isinstance(found, AlternativeAnnotator)
    table = tables_of(study)["judges"]
    assert row(table, "judge-1", "Natural")[6:] == pytest.approx((found.winning_rate, 100 * found.advantage))
    assert any("ε = 0.1" in note for note in table.notes)
    assert "With 3 raters only the winning rates 0, 0.33, 0.67 and 1 are possible, so one rater decides much." in (
        table.notes
    )


def test_a_judge_who_says_what_all_raters_say_wins_against_each() -> None:
    study = rated_study(backgrounds=12, score=lambda rater, background, version, metric: 1 + (background + rater) % 5)
    judge(study, lambda background, version, metric: 25 * ((background + 1) % 5))
    cells = row(tables_of(study)["judges"], "judge-1", "Natural")
    assert cells[6] == 1


def test_a_judge_that_adds_points_for_one_version_and_for_words_is_found_out() -> None:
    """Slope and errors are those of least squares with an intercept a version, clustered by background."""
    rng = np.random.default_rng(8)
    background = np.repeat(np.arange(15), 4)
    version = np.tile(np.arange(2), 30)
    words = rng.integers(40, 300, 60).astype(float)
    people = rng.integers(1, 6, 60).astype(float)
    judge = people + 0.5 * version + 0.004 * words + rng.normal(0, 0.3, 60)
    nobody = np.zeros(60, dtype=np.int64)
    scores = JudgedScores(background, version, nobody, words, judge, people, people[None, :])
    both = beside(scores, 3, seed=1)
    assert both is not None
    fit = sm.OLS(judge - people, np.stack([words / 100, version == 0, version == 1], axis=1).astype(float)).fit(
        cov_type="cluster", cov_kwds={"groups": background, "use_correction": False}
    )
    slope = both.bias.per_100_words
    assert slope is not None
    assert slope.low is not None
    assert slope.value == pytest.approx(fit.params[0])
    # 14 degrees of freedom, and G / (G − 1) for the number of clusters.
    assert slope.value - slope.low == pytest.approx(2.1448 * fit.bse[0] * np.sqrt(15 / 14), rel=1e-4)
    first, second, nothing = both.bias.by_version
    assert nothing is None
    assert first is not None
    assert first.value == pytest.approx(float((judge - people)[version == 0].mean()))
    assert second is not None
    assert second.n == 30


def test_texts_that_are_not_known_or_of_one_length_show_no_slope() -> None:
    size = 12
    background, version = np.arange(size) // 2, np.arange(size) % 2
    gaps, nobody = np.arange(size) / 5.0, np.zeros(size, dtype=np.int64)
    for words in (np.full(size, np.nan), np.full(size, 80.0)):
        scores = JudgedScores(background, version, nobody, words, gaps + 2, np.full(size, 2.0), np.full((1, size), 2.0))
        both = beside(scores, 2, seed=1)
        assert both is not None
        assert both.bias.per_100_words is None
        assert both.bias.mean is not None
        assert both.bias.mean.value == pytest.approx(gaps.mean())


def test_the_report_says_whom_a_judge_favours_and_what_it_cost() -> None:
    study = rated_study(score=lambda *_: 3)
    judge(study, lambda background, version, metric: 75 if version == "stephanie" else 50)
    calls = Call.objects.filter(stage="judge")
    calls.update(cost=Decimal("0.02"))
    tables = tables_of(study)
    symbols = {column.label: place for place, column in enumerate(tables["judge-bias"].columns)}
    cells = row(tables["judge-bias"], "judge-1", "Natural")
    assert (estimate(cells[symbols["Stephanie"]]).value, estimate(cells[symbols["β"]]).value) == (1, 0)
    paid = row(tables["judge-cost"], "judge-1")
    assert paid[4:] == (pytest.approx(0.02), f"{calls.count()} dialogues")
    found = findings_of(study)
    told = as_json(study, found)["judges"][0]
    assert told["beside"]["natural"]["bias"]["by_version"]["stephanie"]["value"] == 1
    assert json.loads(json.dumps(told, allow_nan=False)) is not None
    assert "judge-bias" in drawable(found)
    spec = FIGURES["judge-bias"].draw(study, found, THEMES["light"])
    assert b"</svg>" in rendered(spec, "svg")[0]


def powered_study(*, writer: str = "demo-model") -> Study:
    """Six rated backgrounds; β of twenty more is judged alone."""
    study = rated_study(versions=("alpha", "beta"))
    unrated_dialogues(study, 6, 26, written_by=writer)
    judge(study, seeded())
    return study


def test_a_powered_mean_is_the_papers_formula_over_backgrounds() -> None:
    study = powered_study()
    people, judged = human_means(study, "natural"), judge_means(study, "natural")
    betas = list(study.corpus.dialogues.filter(version="beta").values_list("pk", flat=True))
    rated = np.array([(people[pk], judged[pk]) for pk in betas if pk in people])
    others = np.array([judged[pk] for pk in betas if pk not in people])
    (y, f), n, more = rated.T, len(rated), len(others)
    spread = np.var([*f, *others], ddof=1)
    power = min(1.0, max(0.0, np.cov(y, f, ddof=0)[0, 1] / ((1 + n / more) * spread)))
    value = y.mean() + power * (others.mean() - f.mean())
    cells = row(tables_of(study)["prediction-powered"], "Natural", "β", "judge-1")
    assert estimate(cells[3]).value == pytest.approx(y.mean())
    assert estimate(cells[4]).value == pytest.approx(value)
    assert [estimate(cell).n for cell in cells[3:5]] == [6, 26]
    assert cells[5] == pytest.approx(power)


def test_a_powered_mean_beyond_the_scale_is_set_to_its_end() -> None:
    """The judge thinks better of the dialogues that nobody rated than of those rated, which people scored high."""
    people = np.array([5.0, 5, 5, 4, *[np.nan] * 20])
    judge_scores = np.array([4.5, 4.5, 4.5, 3, *[5.0] * 20])
    one = np.zeros(24, dtype=np.int64)
    scores = JudgedScores(np.arange(24), one, one, np.full(24, 10.0), judge_scores, people, people[None, :4])
    found = powered(scores, 0)
    assert found is not None
    assert isinstance(found.mean, PoweredMean)
    assert found.mean.low > 5
    cut = found.within(1, 5).mean
    assert isinstance(cut, PoweredMean)
    assert (cut.low, cut.value, cut.high) == (5, 5, 5)


def test_means_and_biases_of_judges_and_raters_stay_on_the_scale() -> None:
    study = rated_study(
        backgrounds=3, score=lambda rater, background, version, metric: (5, 1)[background == (version == "beta")]
    )
    unrated_dialogues(study, 3, 9)
    judge(study, lambda background, version, metric: 0.0 if background in (1, 5) else 100.0)
    tables = tables_of(study)
    ends = {"prediction-powered": (1, 5), "prediction-powered-differences": (-4, 4), "judge-bias": (-4, 4)}
    for slug, (lowest, highest) in ends.items():
        cells = [cell for row in tables[slug].rows for cell in row if isinstance(cell, Estimate)]
        shown = [(cell.low, cell.value, cell.high) for cell in cells if cell.low is not None and cell.high is not None]
        assert shown
        assert all(lowest <= low <= value <= high <= highest for low, value, high in shown)
        assert {lowest, highest} & {end for low, _, high in shown for end in (low, high)}


def test_powered_intervals_end_where_the_scale_does() -> None:
    people = np.array([5, 5, 5, 1, np.nan])
    judge = np.array([5, 5, 4.8, 1.2, 5])
    background = np.arange(5)
    one = np.zeros(5, dtype=np.int64)
    found = powered(JudgedScores(background, one, one, np.full(5, 10.0), judge, people, people[None, :4]), 0)
    assert found is not None
    wide, cut = found, found.within(1, 5)
    assert isinstance(wide.mean, PoweredMean)
    assert isinstance(cut.mean, PoweredMean)
    assert wide.people is not None
    assert cut.people is not None
    assert wide.people.high is not None
    assert wide.people.high > 5
    assert wide.mean.high > 5
    assert (cut.people.low, cut.people.high) == (max(1, wide.people.low or 0), 5)
    assert (cut.mean.low, cut.mean.high) == (max(1, wide.mean.low), 5)


def test_a_powered_difference_is_that_of_the_paired_differences() -> None:
    study = powered_study()
    people, judged = human_means(study, "natural"), judge_means(study, "natural")
    betas = list(study.corpus.dialogues.filter(version="beta").values_list("pk", "origin_id"))
    gaps = np.array([(people[pk] - people[of], judged[pk] - judged[of]) for pk, of in betas if pk in people])
    others = np.array([judged[pk] - judged[of] for pk, of in betas if pk not in people])
    (y, f), n, more = gaps.T, len(gaps), len(others)
    power = np.cov(y, f, ddof=0)[0, 1] / ((1 + n / more) * np.var([*f, *others], ddof=1))
    power = min(1.0, max(0.0, power))
    cells = row(tables_of(study)["prediction-powered-differences"], "Natural", "β − α", "judge-1")
    assert estimate(cells[3]).value == pytest.approx(y.mean())
    assert estimate(cells[4]).value == pytest.approx(y.mean() + power * (others.mean() - f.mean()))
    assert [estimate(cell).n for cell in cells[3:5]] == [6, 26]
    assert cells[5] == pytest.approx(power)


def test_a_background_rated_in_one_version_only_is_judged_alone_for_their_difference() -> None:
    def score(rater: int, background: int, version: str, metric: str) -> int | None:
        steps = 2 * background if version == "beta" else background
        return None if (background, version) == (0, "beta") else 1 + (steps + rater) % 5

    study = rated_study(versions=("alpha", "beta"), score=score)
    unrated_dialogues(study, 6, 26)
    judge(study, seeded())
    cells = row(tables_of(study)["prediction-powered-differences"], "Natural", "β − α", "judge-1")
    assert (estimate(cells[3]).n, estimate(cells[4]).n) == (5, 26)


def test_a_judge_who_knows_what_people_say_moves_the_mean_to_all_backgrounds() -> None:
    # People say 2 or 4 by turns; the judge says the same, and 5 of all backgrounds that nobody rated.
    study = rated_study(versions=("alpha", "beta"), score=lambda rater, background, *_: 2 if background % 2 else 4)
    unrated_dialogues(study, 6, 106)
    judge(study, lambda background, *_: 100 if background > 5 else 25 if background % 2 else 75)
    cells = row(tables_of(study)["prediction-powered"], "Natural", "β", "judge-1")
    assert estimate(cells[3]).value == 3
    assert isinstance(cells[5], float)
    assert estimate(cells[4]).value == pytest.approx(3 + cells[5] * 2)
    assert cells[5] > 0


def test_what_another_writer_wrote_in_the_same_version_is_not_counted() -> None:
    table = tables_of(powered_study(writer="somebody-else"))["prediction-powered"]
    assert row(table, "Natural", "β")[4:] == (None, None)
    assert any("The judge has scored no background beyond" in note for note in table.notes)
    # α are the corpus's own texts.
    assert estimate(row(table, "Natural", "α")[4]).n == 26


def test_what_the_rubric_hides_is_shown_only_without_dashes() -> None:
    study = powered_study()
    shown = [tables_of(study, dashes=dashes)["prediction-powered"] for dashes in (True, False)]
    assert [any(cells[:2] == ("On-topic", "α") for cells in table.rows) for table in shown] == [False, True]
    assert any(cells[:2] == ("On-topic", "β") for cells in shown[0].rows)


def test_two_runs_of_one_judge_are_its_repeats_and_another_model_is_another_judge() -> None:
    study = rated_study()
    judge(study, lambda *_: 40)
    judge(study, lambda *_: 60, name="Again")
    judge(study, lambda *_: 80, model="judge-2", name="Another")
    people = human_means(study, "natural")
    mean = float(np.mean(list(people.values())))
    table = tables_of(study)["judges"]
    found = [estimate(row(table, name, "Natural")[5]).value for name in ("judge-1", "judge-2")]
    assert found == pytest.approx([3 - mean, 4.2 - mean])
    assert any(note.startswith("Judge judge-2: model judge-2, ") and "prompt v1" in note for note in table.notes)


def test_a_judge_that_was_asked_in_other_words_is_not_compared() -> None:
    study = rated_study()
    judge(study, seeded())
    rubric = study.rubric
    rubric.pk, rubric.slug = None, "own-words"
    rubric.metrics = [
        {**one, "definition": "Does it sound spoken?"} if one["key"] == "natural" else one for one in rubric.metrics
    ]
    rubric._state.adding = True
    rubric.save()
    Study.objects.filter(pk=study.pk).update(rubric=rubric)
    table = tables_of(Study.objects.get(pk=study.pk))["judges"]
    assert {cells[1] for cells in table.rows} == {"Interesting", "Informative", "Engaging", "On-topic", "On-persona"}
    assert "Left out, because judge-1 was asked in other words than the raters: Natural." in table.notes


def test_without_judgements_of_rated_dialogues_there_are_no_such_tables() -> None:
    study = rated_study(backgrounds=2, versions=("alpha", "beta"))
    assert not TABLES & set(tables_of(study))
    unrated_dialogues(study, 2, 4)
    run = judge(study, seeded())
    Call.objects.filter(run=run, dialogue__items__study=study).delete()
    assert Judgement.objects.exists()
    assert not TABLES & set(tables_of(study))


def test_without_ratings_there_are_no_such_tables() -> None:
    study = unrated_study(backgrounds=2)
    judge(study, seeded())
    assert not TABLES & set(tables_of(study))


def test_where_everything_judged_was_rated_there_is_nothing_to_power() -> None:
    study = rated_study(backgrounds=2)
    judge(study, seeded())
    assert TABLES & set(tables_of(study)) == {"judges", "judge-versions", "judge-bias", "judge-cost"}


def test_a_study_of_chats_has_no_such_tables() -> None:
    study = rated_study(backgrounds=2)
    judge(study, seeded())
    study.kind = Study.Kind.CHATS
    assert not judgements_read(study)["n"]


def test_few_backgrounds_are_said_to_be_few() -> None:
    few, enough = rated_study(name="Few", backgrounds=11), rated_study(name="Enough", backgrounds=12)
    for study in (few, enough):
        judge(study, seeded(), name=study.name)
    said = ["With fewer than 12" in " ".join(tables_of(study)["judges"].notes) for study in (few, enough)]
    assert said == [True, False]


def test_the_demos_judge_is_labelled_in_every_row_and_in_the_notes() -> None:
    study = rated_study(backgrounds=2)
    judge(study, seeded())
    Call.objects.update(is_demo=True)
    table = tables_of(study)["judges"]
    assert {cells[0] for cells in table.rows} == {Label("judge-1", DEMO_LABEL)}
    assert to_csv(table).count(DEMO_LABEL) >= len(table.rows)
    assert any(note.startswith(f"Judge judge-1: {DEMO_LABEL}") for note in table.notes)


def test_a_judges_name_stays_text_on_the_page() -> None:
    study = rated_study(backgrounds=2)
    name = "<script>alert(1)</script>"
    judge(study, seeded(), model=name)
    html = logged_in(Role.RESEARCHER).get(reverse("study_report", args=[study.pk])).content.decode()
    assert 'id="table-judges"' in html
    assert name not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_all_tables_leave_as_files(client: Client) -> None:
    study = powered_study()
    reader = logged_in(Role.RESEARCHER)
    for slug in OF_TWO_VERSIONS:
        answer = reader.get(reverse("study_table_csv", args=[study.pk, slug]))
        assert answer.status_code == 200
        assert "judge-1" in answer.content.decode()


def test_judges_are_read_again_only_when_there_are_further_judgements(
    django_assert_max_num_queries: DjangoAssertNumQueries, django_assert_num_queries: Any
) -> None:
    study = rated_study(backgrounds=2)
    with django_assert_num_queries(1):
        assert not judgements_read(study)["n"]
    judge(study, lambda *_: 40)
    (first,) = findings_of(study).judges
    # The judgements, and when their models will be gone; versions, items, members and ratings by their keys.
    with django_assert_max_num_queries(6):
        assert findings_of(study).judges == (first,)
    judge(study, lambda *_: 60, name="Again")
    (second,) = findings_of(study).judges
    before, after = (facts.beside["natural"].bias.mean for facts in (first, second))
    assert before is not None
    assert after is not None
    assert after.value == pytest.approx(before.value + 0.4)


def test_of_few_backgrounds_only_the_intervals_of_slopes_are_too_narrow() -> None:
    for backgrounds, is_few in ((ENOUGH_FOR_RISES - 1, True), (ENOUGH_FOR_RISES, False)):
        study = rated_study(name=f"Of {backgrounds}", backgrounds=backgrounds)
        for number, dialogue in enumerate(study.corpus.dialogues.all()):
            Dialogue.objects.filter(pk=dialogue.pk).update(word_tokens=dialogue.word_tokens + number % 5)
        judge(study, seeded())
        notes = tables_of(study)["judge-bias"].notes
        assert notes.count(FEW_FOR_RISES) == is_few
        assert FEW_BACKGROUNDS not in notes
