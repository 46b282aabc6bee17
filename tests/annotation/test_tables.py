"""The report's tables over a study's own items, the paper's values beside them."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from django.core.cache import caches
from django.template.loader import render_to_string
from pytest_django import DjangoAssertNumQueries

from annotation.agreement_files.measuring import Effort, measured
from annotation.design import rubrics
from annotation.imported.imported_study import read_scores
from annotation.imported.rating_rows import RatingChoices
from annotation.management.commands.study_report import as_json
from annotation.models import Assignment, Rating, Score, Study
from annotation.reports import analysis
from annotation.reports.agreement import alpha, summary, weighted_kappa
from annotation.reports.agreement_tables import COEFFICIENTS, SHARES
from annotation.reports.exports import ratings_csv
from annotation.reports.findings import Findings
from annotation.reports.loading import findings_of
from annotation.reports.models.icc import icc_intervals
from annotation.reports.notes import FEW_BACKGROUNDS, SIMULATED, has_published
from annotation.reports.scores import study_items, study_scores
from annotation.reports.tables import study_tables
from core.latex import to_latex
from core.tables import Cell, Estimate, Table, to_csv, to_text
from dialogues.models import Dialogue
from dialogues.published import published_table
from dialogues.rubric import Metric
from tests.annotation.rated_study import VERSIONS, join, rate, rated_study, seeded_scorer, unrated_study

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def tables_of(study: Study, *, dashes: bool = True) -> dict[str, Table]:
    return study_tables(study, findings_of(study), dashes=dashes)


def cell(table: Table, row: str, group: str, label: str) -> Cell:
    place = next(n for n, column in enumerate(table.columns) if (column.group, column.label) == (group, label))
    return next(cells[place] for cells in table.rows if cells[0] == row)


def estimate(found: Cell) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def test_a_mean_is_that_of_the_scores_in_the_database() -> None:
    study = rated_study()
    values = Score.objects.filter(metric="natural", rating__assignment__item__dialogue__version="gamma")
    scores = list(values.values_list("value", flat=True))
    found = estimate(cell(tables_of(study)["table-3"], "Natural", "here", "γ"))
    assert (found.value, found.n) == (pytest.approx(sum(scores) / len(scores)), 18)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_the_papers_means_stand_beside() -> None:
    table = tables_of(rated_study())["table-3"]
    assert cell(table, "Engaging", "paper", "Stephanie") == 4.06
    assert cell(table, "On-topic", "paper", "β") == 3.30


def asked(study: Study, change: Callable[[Metric], Metric], low: int = 1) -> dict[str, Table]:
    """The study's tables had its rubric asked other questions, or on another scale."""
    metrics = tuple(map(change, study.rubric.metric_list()))
    study.rubric.metrics, study.rubric.scale_low = rubrics.to_lists(metrics), low
    return study_tables(study, replace(findings_of(study), metrics=metrics))


def test_the_papers_means_stand_only_beside_its_own_questions() -> None:
    study = rated_study()

    def reworded(metric: Metric) -> Metric:
        return replace(metric, definition="Does it sound spoken?") if metric.key == "natural" else metric

    table = asked(study, reworded)["table-3"]
    assert cell(table, "Natural", "paper", "γ") is None
    assert estimate(cell(table, "Natural", "here", "γ")).n == 18
    assert cell(table, "Engaging", "paper", "γ") == published_table(3).value("engaging", "gamma")
    assert any(note.startswith("Without a value of the paper: Natural.") for note in table.notes)


@pytest.mark.parametrize(
    "change",
    [
        lambda metric: replace(metric, points=()),
        lambda metric: replace(metric, low="not at all"),
        lambda metric: replace(metric, name=f"{metric.name}?"),
    ],
)
def test_a_rubric_of_other_words_has_no_column_of_the_paper(change: Callable[[Metric], Metric]) -> None:
    table = asked(rated_study(backgrounds=2), change)["table-3"]
    assert {column.group for column in table.columns} == {""}
    assert "paper" not in table.caption


def test_another_scale_has_no_column_of_the_paper() -> None:
    table = asked(rated_study(backgrounds=2), lambda metric: metric, low=0)["table-3"]
    assert {column.group for column in table.columns} == {""}


def test_what_is_hidden_or_asked_of_fewer_versions_is_still_the_papers_question() -> None:
    def narrower(metric: Metric) -> Metric:
        return replace(metric, dash_for=("beta",), asked_for=("gamma", "stephanie"))

    table = asked(rated_study(backgrounds=2), narrower)["table-3"]
    assert cell(table, "Natural", "paper", "γ") == published_table(3).value("natural", "gamma")


def test_one_background_has_values_and_no_interval_and_page_csv_latex_and_json_say_why() -> None:
    study = rated_study(backgrounds=1)
    tables = tables_of(study)
    for slug in ("table-3", "agreement", "comparisons"):
        found = [one for row in tables[slug].rows for one in row if isinstance(one, Estimate)]
        assert found
        assert {(one.low, one.high, one.no_interval) for one in found} == {(None, None, "only one background")}, slug
        for text in (to_csv(tables[slug]), to_latex(tables[slug]), to_text(tables[slug])):
            assert "only one background" in text
        assert "no interval: only one background" in render_to_string("_table.html", {"table": tables[slug]})
    told = as_json(study, findings_of(study))
    assert told["means"]["natural"]["gamma"]["like_these"]["no_interval"] == "only one background"
    assert told["agreement"]["natural"]["estimates"]["alpha_ordinal"]["no_interval"] == "only one background"
    assert {row["like_these"]["no_interval"] for row in told["comparisons"]} == {"only one background"}


def test_three_backgrounds_of_equal_scores_have_no_interval_of_no_width() -> None:
    tables = tables_of(rated_study(backgrounds=3, score=lambda rater, *_: 2 + rater))
    rows = [row for row in tables["means"].rows if row[:2] == ("Natural", "γ")]
    like_these, these = (estimate(one) for one in rows[0][-2:])
    assert (these.value, these.low, these.no_interval) == (3, None, "no spread")
    # Other raters would differ as these three do, and a mean stays on its scale.
    assert like_these.value == 3
    assert like_these.low is not None
    assert like_these.high is not None
    assert 1 <= like_these.low < 2
    assert 4 < like_these.high <= 5
    differences = [estimate(row[2]) for row in tables["comparisons"].rows]
    assert {(one.value, one.low, one.no_interval) for one in differences} == {(0, None, "no spread")}


def test_alphas_topic_and_persona_print_a_dash_and_their_scores_are_kept() -> None:
    study = rated_study()
    for metric in ("On-topic", "On-persona"):
        assert cell(tables_of(study)["table-3"], metric, "here", "α") is None
        assert estimate(cell(tables_of(study, dashes=False)["table-3"], metric, "here", "α")).n == 18
    assert any("On-topic and On-persona" in note for note in tables_of(study)["table-3"].notes)
    assert not any("“—”" in note for note in tables_of(study, dashes=False)["table-3"].notes)


def test_a_dash_hides_its_comparisons_too() -> None:
    study = rated_study()
    hidden = {(row[0], row[1]) for row in tables_of(study)["comparisons"].rows}
    shown = {(row[0], row[1]) for row in tables_of(study, dashes=False)["comparisons"].rows}
    assert shown - hidden == {
        (metric, pair) for metric in ("On-topic", "On-persona") for pair in ("β − α", "γ − α", "Stephanie − α")
    }


def test_what_is_shown_changes_no_adjusted_p() -> None:
    study = rated_study()
    hidden, shown = (tables_of(study, dashes=dashes)["comparisons"] for dashes in (True, False))
    adjusted = {row[:2]: row[4] for row in shown.rows}
    assert len(hidden.rows) < len(shown.rows) == 6 * 6
    assert {row[:2]: row[4] for row in hidden.rows}.items() <= adjusted.items()
    assert all(any("36 tests" in note for note in table.notes) for table in (hidden, shown))


def test_table_4_measures_the_studys_dialogues_only() -> None:
    study = unrated_study(backgrounds=3)
    stranger = Dialogue.objects.filter(version="gamma").first()
    assert stranger is not None
    stranger.pk, stranger.key, stranger.message_count, stranger.turn_count = None, "stranger", 900, 1
    stranger.save()
    table = tables_of(study)["table-4"]
    # γ's turns have 2, 1, 2 and 2 messages, each of five words with its full stop attached.
    assert estimate(cell(table, "ACMC", "here", "γ")) == Estimate(7 / 4, 3, no_interval="no spread")
    assert estimate(cell(table, "Words/message, whitespace tokens", "here", "γ")).value == 5
    assert cell(table, "ACMC", "paper", "γ") == 1.99


def test_table_5_shares_add_up_to_100_with_six_or_more() -> None:
    table = tables_of(rated_study())["table-5"]
    ours = {row[0]: row[2:8] for row in table.rows if row[1] == "here"}
    assert ours["Stephanie"] == (25.0, 25.0, 25.0, 0.0, 0.0, 25.0)
    for symbol, shares in ours.items():
        assert sum(share for share in shares if isinstance(share, float)) == pytest.approx(100), symbol
    papers = {row[0]: row[2:8] for row in table.rows if row[1] == "paper"}
    assert papers["γ"] == (20.5, 60.1, 17.98, 1.21, 0.1, None)


def test_every_published_value_of_tables_3_to_5_is_beside_ours() -> None:
    tables = tables_of(rated_study())
    for number, slug in ((3, "table-3"), (4, "table-4"), (5, "table-5")):
        printed = [value for row in published_table(number).rows for value in row.values if value is not None]
        shown = [value for row in tables[slug].rows for value in row if isinstance(value, int | float)]
        assert not [value for value in printed if value not in shown], slug


def test_the_papers_values_can_be_left_out_and_ours_stay() -> None:
    study = rated_study(backgrounds=2)
    with_paper, alone = (study_tables(study, findings_of(study), paper=paper) for paper in (True, False))
    assert with_paper.keys() == alone.keys()
    for slug in ("table-3", "table-4", "table-5"):
        assert has_published(with_paper[slug])
        assert not has_published(alone[slug])
        assert not any("Paper, Table" in note for note in alone[slug].notes)
    ours = [row[:5] for row in with_paper["table-3"].rows]
    assert list(alone["table-3"].rows) == ours
    assert [row[1:] for row in alone["table-5"].rows] == [
        row[2:] for row in with_paper["table-5"].rows if row[1] == "here"
    ]


def test_figure_3_is_that_of_the_studys_dialogues() -> None:
    study = rated_study(backgrounds=2)
    table = tables_of(study)["distinct"]
    messages = [text for row in Dialogue.objects.filter(version="gamma") for _, text in row.messages]
    pairs = [pair for text in messages for pair in pairwise(text.split())]
    gamma = next(row for row in table.rows if row[0] == "γ")
    assert gamma[1:3] == ("pooled", pytest.approx(len(set(pairs)) / len(pairs)))


def test_a_study_without_a_version_has_no_column_for_it() -> None:
    study = rated_study(versions=("alpha", "stephanie"))
    symbols = [column.label for column in tables_of(study)["table-3"].columns]
    assert symbols == ["Metric", "α", "Stephanie", "α", "Stephanie"]
    assert {row[1] for row in tables_of(study)["comparisons"].rows} == {"Stephanie − α"}


def test_simulated_scores_and_demo_texts_are_named_first_in_the_notes() -> None:
    notes = {slug: table.notes for slug, table in tables_of(rated_study(simulated=True)).items()}
    for slug in ("table-3", "agreement", "agreement-by-version", "comparisons", "raters"):
        assert notes[slug][0] == SIMULATED, slug
    for slug, found in notes.items():
        assert "β, γ, Stephanie: demo rules, not a language model." in found, slug
    people = tables_of(rated_study(name="Real"))
    assert not any(SIMULATED in table.notes for table in people.values())


def test_who_wrote_a_version_is_named() -> None:
    study = rated_study()
    Dialogue.objects.filter(version="gamma").update(is_demo=False, written_by="some-model-4")
    notes = tables_of(study)["table-3"].notes
    assert "γ: written by some-model-4." in notes
    assert "β, Stephanie: demo rules, not a language model." in notes


def test_simulated_ratings_never_mix_with_those_of_people() -> None:
    study = rated_study()
    before = findings_of(study)
    rate(study, [join(study, 9, simulated=True)], lambda *_: 5)
    after = findings_of(study)
    assert after.means == before.means
    assert (after.ratings, after.set_aside) == (before.ratings, 24)
    assert any("24 ratings by the simulator are left out" in note for note in tables_of(study)["table-3"].notes)


def test_a_corrected_rating_counts_once_and_at_once() -> None:
    study = rated_study(raters=1, score=lambda *_: 2)
    assert estimate(cell(tables_of(study)["table-3"], "Natural", "here", "β")).value == 2
    for rating in Rating.objects.filter(assignment__item__dialogue__version="beta"):
        rating.is_current = False
        rating.save(update_fields=["is_current"])
        better = Rating.objects.create(assignment=rating.assignment, supersedes=rating)
        Score.objects.create(rating=better, metric="natural", value=4, scale_low=1, scale_high=5)
    found = estimate(cell(tables_of(study)["table-3"], "Natural", "here", "β"))
    assert (found.value, found.n) == (4, 6)


def test_an_icc_is_for_raters_like_these() -> None:
    study = rated_study()
    items = study_items(study)
    scores = study_scores(study, items, [metric.key for metric in study.rubric.metric_list()])
    found = findings_of(study)
    for number, metric in enumerate(found.metrics):
        expected, agreed = icc_intervals(scores.where(scores.metric == number)), found.agreement[metric.key]
        for form in ("2,1", "2,k"):
            shown = agreed.estimates[f"icc_{form}"]
            assert (shown.low, shown.high) == (expected[form].low, expected[form].high)
            # That for these raters stands beside, in JSON.
            beside = agreed.these_raters[f"icc_{form}"]
            assert beside.value == shown.value
            assert beside.low not in (None, shown.low)


def test_all_coefficients_stand_by_version_and_ordinal_alpha_and_icc_with_an_interval() -> None:
    study = rated_study(backgrounds=12)
    found = findings_of(study)
    table = tables_of(study)["agreement-by-version"]
    items = study_items(study)
    scores = study_scores(study, items, [metric.key for metric in found.metrics])
    [row] = [row for row in table.rows if row[:2] == ("Natural", "γ")]
    natural = [metric.key for metric in found.metrics].index("natural")
    of_gamma = scores.where((scores.metric == natural) & (items.version[scores.item] == 2))
    alone = summary(of_gamma, seed=study.seed)
    like_these = icc_intervals(of_gamma)
    for column, one in zip(table.columns[2:], row[2:], strict=True):
        key = next(key for key, (label, _) in COEFFICIENTS.items() if label == column.label)
        value = estimate(one)
        expected = alone.estimates[key]
        assert value.value == pytest.approx((100 if key in SHARES else 1) * (expected.value or 0))
        if key == "alpha_ordinal":
            assert (value.low, value.high) == (expected.low, expected.high)
        elif key.startswith("icc"):
            interval = like_these[key.removeprefix("icc_")]
            assert (value.low, value.high) == (interval.low, interval.high)
        else:
            assert (value.low, value.no_interval) == (None, "")
    assert any("Only ordinal α has such an interval here" in note for note in table.notes)


def test_pairs_of_raters_are_measured_over_what_both_scored_and_those_beyond_ten_are_counted() -> None:
    def score(rater: int, background: int, version: str, metric: str) -> int | None:
        absent = (rater == 2 and background < 3) or (rater == 5 and background > 0)
        return None if absent else 1 + (rater * background + len(version) + len(metric)) % 5

    study = rated_study(raters=6, score=score)
    table = tables_of(study)["agreement-by-pair"]
    names = [f"R-{study.pk}-{number}" for number in range(6)]
    natural = [row for row in table.rows if row[0] == "Natural"]
    assert [row[1] for row in natural] == [
        f"{names[one]} and {names[two]}"
        for one, two in ((0, 1), (0, 3), (0, 4), (1, 3), (1, 4), (3, 4), (0, 2), (1, 2), (2, 3), (2, 4))
    ]
    assert [estimate(row[2]).n for row in natural] == [24] * 6 + [12] * 4
    # The rater of one background shares 4 items with four others, and none with the one who left it out.
    assert "These are 10 of 14 pairs of raters who share an item; 4 are left out." in table.notes
    scored: dict[int, dict[int, int]] = {0: {}, 2: {}}
    for rater, item, value in Score.objects.filter(metric="natural").values_list(
        "rating__assignment__membership__seed", "rating__assignment__item", "value"
    ):
        scored.get(rater, {})[item] = value
    both = [(scored[0][item], value) for item, value in scored[2].items()]
    exact, within = (100 * sum(abs(a - b) <= reach for a, b in both) / len(both) for reach in (0, 1))
    shown = natural[6]
    assert (estimate(shown[4]).value, estimate(shown[5]).value) == (pytest.approx(exact), pytest.approx(within))
    alone = np.array(both, dtype=float).T
    assert estimate(shown[2]).value == pytest.approx(alpha(alone, "ordinal").value)
    assert estimate(shown[3]).value == pytest.approx(weighted_kappa(alone).value)


def test_two_raters_are_no_table_of_pairs() -> None:
    assert "agreement-by-pair" not in tables_of(rated_study(raters=2))


def test_intervals_of_few_backgrounds_are_said_to_be_too_narrow_once_a_table_and_in_json() -> None:
    few, enough = rated_study(name="Few", backgrounds=11), rated_study(name="Enough", backgrounds=12)
    for study, is_few in ((few, True), (enough, False)):
        tables = tables_of(study)
        for slug in ("agreement", "agreement-by-version", "agreement-by-pair"):
            assert tables[slug].notes.count(FEW_BACKGROUNDS) == is_few, slug
        told = as_json(study, findings_of(study))
        assert told["agreement"]["natural"]["few_backgrounds"] is is_few
        assert told["agreement_by_version"]["natural"]["gamma"]["few_backgrounds"] is is_few
        assert told["agreement_by_pair"][0]["metrics"]["natural"]["few_backgrounds"] is is_few


def test_a_file_and_a_study_of_the_same_scores_have_the_same_values_and_correlations() -> None:
    given = seeded_scorer()

    def score(rater: int, background: int, version: str, metric: str) -> int | None:
        return None if (rater + background) % 4 == 0 else given(rater, background, version, metric)

    study = rated_study(backgrounds=12, raters=4, score=score)
    found = findings_of(study)
    rows = list(csv.DictReader(io.StringIO("".join(ratings_csv(study)))))
    text = "\n".join(
        ["rater,item,version,background,metric,value"]
        + [
            f"{row['rater']},{row['item']},{row['version']},{row['background']},{row['metric']},{row['value']}"
            for row in rows
        ]
    )
    gathered = read_scores(io.BytesIO(text.encode()), RatingChoices({}, (), "score"))
    of_file = measured(gathered, Effort(200, 1000))
    of_study = {(key, ""): one for key, one in found.agreement.items()} | dict(found.agreement_by_version)
    assert {(one.metric, one.version) for one in (*of_file.by_metric, *of_file.by_version)} == of_study.keys()
    for group in (*of_file.by_metric, *of_file.by_version):
        agreed = of_study[group.metric, group.version]
        for key, one in agreed.estimates.items():
            other = group.agreement.estimates[key]
            assert (one.value, one.undefined) == (pytest.approx(other.value, abs=1e-4), other.undefined)
            if key.startswith("icc"):
                assert (one.low, one.high) == (pytest.approx(other.low, abs=1e-4), pytest.approx(other.high, abs=1e-4))
    assert any(one.estimates["icc_2,1"].low is not None for one in of_study.values())


def test_more_ratings_than_an_ordinal_model_takes_leave_it_out_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    study = rated_study()
    row = tables_of(study)["robustness"].rows[0]
    assert isinstance(row[6], Estimate)
    caches["results"].clear()
    monkeypatch.setattr(analysis, "MOST_ORDINAL", 10)
    table = tables_of(study)["robustness"]
    assert table.rows[0][6] is None
    assert any(f"no ordinal model. {analysis.TOO_MANY}" in note for note in table.notes)


def test_equal_scores_are_undefined_with_a_sentence_and_no_number() -> None:
    table = tables_of(rated_study(score=lambda *_: 3))["agreement"]
    assert cell(table, "Natural", "", "α, ordinal") == "undefined"
    assert estimate(cell(table, "Natural", "", "Within one, %")).value == 100
    [note] = [note for note in table.notes if "undefined, because all scores are equal" in note]
    assert "Natural" in note
    assert ": α, ordinal, α, interval, " in note


def test_an_undefined_alpha_of_one_version_says_why_unless_a_dash_hides_it() -> None:
    def score(rater: int, background: int, version: str, metric: str) -> int:
        return 4 if version == "alpha" else 1 + (rater + background + len(version)) % 5

    study = rated_study(score=score)
    table = tables_of(study)["agreement-by-version"]
    assert next(row[2] for row in table.rows if row[:2] == ("Natural", "α")) == "undefined"
    [note] = [note for note in table.notes if "undefined, because all scores are equal." in note]
    assert "Natural (α)" in note
    assert "On-topic (α)" not in note
    assert any(note.startswith("“—” for α under ") and "On-topic" in note for note in table.notes)
    without_dashes = tables_of(study, dashes=False)["agreement-by-version"].notes
    [note] = [note for note in without_dashes if "undefined, because all scores are equal." in note]
    assert "On-topic (α)" in note


def test_one_rater_has_no_agreement_and_the_table_says_why() -> None:
    table = tables_of(rated_study(raters=1))["agreement"]
    assert set(table.rows[0][1:]) == {"undefined"}
    [note] = [note for note in table.notes if "no item has scores from two raters" in note]
    assert all(metric in note for metric in ("Natural", "On-topic"))


@pytest.mark.parametrize(
    ("backgrounds", "versions", "said"),
    [
        (1, ("alpha", "beta"), "p: none, as no difference could be tested. d:"),
        (4, ("alpha", "beta"), "Holm-adjusted for 6 tests: all pairs"),
    ],
)
def test_the_table_of_differences_says_how_many_were_tested(
    backgrounds: int, versions: tuple[str, ...], said: str
) -> None:
    study = rated_study(backgrounds=backgrounds, versions=versions)
    assert any(said in note for note in tables_of(study)["comparisons"].notes)


def test_where_a_rater_left_items_out_correlations_are_from_variance_components() -> None:
    def score(rater: int, background: int, version: str, metric: str) -> int | None:
        return None if rater == 2 and background == 0 else 1 + (rater + background + len(version) + len(metric)) % 5

    table = tables_of(rated_study(score=score))["agreement"]
    assert estimate(cell(table, "Natural", "", "ICC(2,1)")).n == 24
    assert estimate(cell(table, "Natural", "", "α, ordinal")).n == 24
    assert any("4 of 24 items were not scored by all 3 raters" in note and "REML" in note for note in table.notes)


def test_raters_appear_by_pseudonym_only() -> None:
    study = rated_study()
    table = tables_of(study)["raters"]
    assert [row[:2] for row in table.rows] == [(f"R-{study.pk}-{number}", 24) for number in range(3)]


def test_a_study_nobody_has_rated_still_has_lengths() -> None:
    found = findings_of(unrated_study())
    assert (found.items, found.ratings, len(found.raters)) == (24, 0, 0)
    assert found.lengths["gamma"].messages == 6 * 7
    assert set(found.means.values()) == {None}


def test_a_draft_without_items_is_empty_not_an_error() -> None:
    study = unrated_study(backgrounds=0)
    assert findings_of(study).items == 0
    assert study_tables(study, findings_of(study))["table-3"].rows[0] == ("Interesting",)


def test_findings_are_computed_again_only_when_ratings_change(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    study = rated_study()
    first = findings_of(study)
    # Versions, items, members and ratings, by their keys; and whether a judge scored.
    with django_assert_max_num_queries(5):
        assert findings_of(study) == first
    Rating.objects.filter(assignment__membership__seed=0).update(is_current=False)
    assert findings_of(study).ratings == first.ratings - 24


def test_two_studies_never_share_scores() -> None:
    low = rated_study(name="Low", score=lambda *_: 1)
    high = rated_study(name="High", score=lambda *_: 5)
    for study, value in ((low, 1.0), (high, 5.0)):
        assert {mean.plain for mean in findings_of(study).means.values() if mean} == {value}


def test_findings_survive_the_cache_whole() -> None:
    study = rated_study()
    computed = findings_of(study)
    cached = findings_of(study)
    assert isinstance(cached, Findings)
    assert cached == replace(computed)


def test_skipped_and_open_places_do_not_count() -> None:
    study = rated_study(raters=1)
    Assignment.objects.bulk_create(
        Assignment(study=study, item=item, membership=join(study, 50 + item.position), position=0, state="skipped")
        for item in study.items.all()[:3]
    )
    assert findings_of(study).ratings == len(VERSIONS) * 6
