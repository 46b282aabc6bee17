"""What the first sentences of a report claim, checked against scores that raw SQL gives."""

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import product

import krippendorff
import numpy as np

from annotation.models import Study
from annotation.reports.findings import Findings
from annotation.reports.loading import findings_of
from annotation.reports.whole import lead_of
from tests.annotation.claims.sql import COUNTED, number, of_study, plan_of, rows
from tests.annotation.test_lead import PAIR, check_chance, claims

# (metric, version's symbol, rater, background) → value
Scores = Mapping[tuple[str, str, int, int], int]

SCORES = f"""
SELECT c.metric, v.symbol, k.membership_id, i.background_id, c.value FROM ({COUNTED}) k
  JOIN annotation_score c ON c.rating_id = k.id JOIN annotation_item i ON i.id = k.item_id
  JOIN dialogues_dialogue d ON d.id = i.dialogue_id JOIN dialogues_version v ON v.slug = d.version_id
"""
AGREEMENT = re.compile(
    r"Agreement between raters \(ordinal α\) (?:is|lies between) (-?[\d.]+)(?: and (-?[\d.]+))?, (.+)\."
)
TURNED = re.compile(
    r"([\d,]+) of ([\d,]+) differences between versions changes? sign when one of the raters is left out\.|"
    r"No difference between versions changes its sign when any one rater is left out\."
)
DEMO = re.compile(r"Demo rules, not a language model, wrote (.+), so nothing here is about language models\.")
DEMO_VERSIONS = """
SELECT symbol FROM dialogues_version WHERE slug IN (
  SELECT d.version_id FROM annotation_item i JOIN dialogues_dialogue d ON d.id IN (i.dialogue_id, i.other_id)
   WHERE i.study_id = %s AND i.purpose = 'rated' AND d.is_demo)
"""
TARGET = "Unless a table says otherwise, its numbers apply to"


def check_lead(study: Study) -> None:
    """Every sentence holds. Chance is not SQL's to judge: there the findings' adjusted p values are counted."""
    found = findings_of(study)
    scores: Scores = {tuple(row[:4]): row[4] for row in rows(SCORES, study.pk)}  # type: ignore[misc]
    for sentence in lead_of(study, found, dashes=False):
        if is_standing(study, sentence):
            continue
        if said := AGREEMENT.fullmatch(sentence):
            check_agreement(scores, *said.groups())
        elif said := TURNED.fullmatch(sentence):
            check_single_raters(scores, number(said[1] or "0"), said[2])
        elif sentence.startswith(TARGET):
            who = "these raters" if plan_of(study.pk).get("population") == "these" else "raters like these"
            assert sentence == f"{TARGET} {who} and to backgrounds like these."
        else:
            check_pair(study, found, scores, sentence)


def is_standing(study: Study, sentence: str) -> bool:
    """Whether it says what the ratings or texts are; if so, it is checked."""
    if sentence.startswith("The ratings are simulated"):
        assert of_study("is_simulated", study.pk)
        return True
    if said := DEMO.fullmatch(sentence):
        assert set(re.split(", | and ", said[1])) == {symbol for (symbol,) in rows(DEMO_VERSIONS, study.pk)}
        return True
    return False


def primary_of(study: int) -> tuple[list[str], list[frozenset[str]]]:
    """The plan's metrics, and its pairs as symbols of versions."""
    names = dict(rows("SELECT slug, symbol FROM dialogues_version"))
    plan = plan_of(study)
    return plan.get("metrics", []), [frozenset(names[slug] for slug in pair) for pair in plan.get("contrasts", [])]


def check_pair(study: Study, found: Findings, scores: Scores, sentence: str) -> None:
    """What is said of two versions, over the primary metrics where the plan names any that were compared."""
    said = PAIR.match(sentence)
    assert said, sentence
    second, first = said[1], said[2] or said[3]
    metrics, pairs = primary_of(study.pk)
    is_primary = any(is_compared(scores, metric, (one, other)) for metric in metrics for one, other in pairs)
    assert (" primary metric" in sentence) == is_primary
    assert not is_primary or {first, second} in pairs
    if not is_primary:
        metrics = sorted({metric for metric, *_ in scores})
    check_differences(scores, sentence, metrics)
    slugs = {symbol: slug for slug, symbol in rows("SELECT slug, symbol FROM dialogues_version")}
    keys = [(metric, slugs[first], slugs[second]) for metric in metrics if is_compared(scores, metric, (first, second))]
    check_chance(found, sentence, keys)


def is_complete(scores: Scores, metric: str, pair: tuple[str, str]) -> bool:
    """Whether every rater scored both versions of every background, so that a difference is one of plain means."""
    there = {key[1:] for key in scores if key[0] == metric}
    raters, backgrounds = {rater for _, rater, _ in there}, {background for *_, background in there}
    return bool(there) and set(product(pair, raters, backgrounds)) <= there


def is_compared(scores: Scores, metric: str, pair: tuple[str, str]) -> bool:
    """Whether both versions of some background were scored: a report has no difference where none was."""
    there = [{background for key, symbol, _, background in scores if (key, symbol) == (metric, one)} for one in pair]
    return bool(there[0] & there[1])


def gap(scores: Scores, metric: str, pair: tuple[str, str], without: int | None = None) -> float:
    """The second version's mean minus the first's."""
    means = [
        np.mean([value for (key, symbol, rater, _), value in scores.items()
                 if key == metric and symbol == one and rater != without])
        for one in pair
    ]  # fmt: skip
    return float(means[1] - means[0])


def check_differences(scores: Scores, sentence: str, metrics: list[str]) -> None:
    for first, second, sign, count, of, low, high in claims(sentence):
        if not all(is_complete(scores, metric, (first, second)) for metric in metrics):
            return
        gaps = [gap(scores, metric, (first, second)) for metric in metrics]
        there = [abs(one) for one in gaps if sign * one > 1e-9]
        assert (count, of) == (len(there), len(metrics)), sentence
        assert abs(min(there) - float(low)) < 0.0051
        assert abs(max(there) - float(high or low)) < 0.0051
    if same := re.match(r"(\S+) and (\S+) scored the same", sentence):
        pair = (same[2], same[1])
        assert all(abs(gap(scores, metric, pair)) < 1e-9 for metric in metrics if is_complete(scores, metric, pair))


def alpha(scores: Scores, metric: str) -> float | None:
    """Krippendorff's ordinal α by another implementation; None where it has none."""
    cells = {key[1:]: value for key, value in scores.items() if key[0] == metric}
    raters = sorted({rater for _, rater, _ in cells})
    units = sorted({(symbol, background) for symbol, _, background in cells})
    table = [[cells.get((symbol, rater, background), np.nan) for symbol, background in units] for rater in raters]
    shared = [column for column in np.array(table, dtype=float).T if np.isfinite(column).sum() > 1]
    if not shared or len({value for column in shared for value in column if np.isfinite(value)}) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=np.array(table, dtype=float), level_of_measurement="ordinal"))


def check_agreement(scores: Scores, low: str, high: str | None, bound: str) -> None:
    known = [value for metric in {key[0] for key in scores} if (value := alpha(scores, metric)) is not None]
    assert abs(min(known) - float(low)) < 0.0051
    assert abs(max(known) - float(high or low)) < 0.0051
    assert bound.startswith("at or above .80") == (min(known) >= 0.8)
    assert bound.startswith("at or above .667") == (0.667 <= min(known) < 0.8)
    if some := re.search(r"below \.667 on (\d+) of (\d+) metrics", bound):
        assert (number(some[1]), number(some[2])) == (sum(one < 0.667 for one in known), len(known))


def check_single_raters(scores: Scores, turned: int, of: str | None) -> None:
    own: dict[tuple[str, tuple[str, str]], list[float]] = defaultdict(list)
    raters, symbols = {key[2] for key in scores}, sorted({key[1] for key in scores})
    for metric, pair in product({key[0] for key in scores}, [(a, b) for a in symbols for b in symbols if a < b]):
        if not is_compared(scores, metric, pair):
            continue
        for rater in raters:
            mine = {key: value for key, value in scores.items() if key[2] == rater and key[0] == metric}
            if {key[1] for key in mine} >= set(pair):
                own[metric, pair].append(gap(mine, metric, pair))
    left = {key: [(sum(gaps) - gap) / (len(gaps) - 1) for gap in gaps] for key, gaps in own.items() if len(gaps) > 1}
    assert turned == sum(min(gaps) < -1e-9 and max(gaps) > 1e-9 for gaps in left.values())
    assert of is None or number(of) == len(left)
