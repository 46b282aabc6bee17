"""The first lines of a report say nothing that its numbers do not."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.reports.columns import StudyItems, StudyScores, VersionItems
from annotation.reports.findings import Findings, Key, Planned, findings
from annotation.reports.lead import MOST_SENTENCES, lead
from dialogues.counts import COUNT_FIELDS
from dialogues.rubric import Metric, Scale

SCALE = Scale(1, 5)
HOW_FAR = r"(\d+) of (\d+) (?:primary )?metrics?, by ([\d.]+)(?: to ([\d.]+))? points"
ABOVE = re.compile(rf"(\S+) scored above (\S+) on {HOW_FAR}")
BELOW = re.compile(rf"below (\S+) on {HOW_FAR}")
PAIR = re.compile(r"(\S+) (?:scored (?:above|below) (\S+)|and (\S+) scored)")


@dataclass(frozen=True)
class Made:
    """Findings, and the keys of the differences that a plan names."""

    found: Findings
    primary: frozenset[Key]

    @property
    def told(self) -> list[Key]:
        """The differences of which the lead may speak."""
        there = [key for key, one in self.found.differences.items() if one]
        return [key for key in there if key in self.primary] or there


def metric(number: int) -> Metric:
    return Metric(f"m{number}", f"Metric {number}", "What it is.", "low", "high")


def version(number: int) -> VersionItems:
    return VersionItems(f"v{number}", f"V{number}", "other", 0, (), False)


def items_of(versions: int, backgrounds: int) -> StudyItems:
    """Every version on every background, a background's dialogues in a row."""
    pks = np.arange(versions * backgrounds)
    return StudyItems(
        pks=pks,
        background=pks // versions,
        version=pks % versions,
        counts=np.ones((len(pks), len(COUNT_FIELDS)), dtype=np.int64),
        has_text=np.ones(len(pks), dtype=bool),
        versions=tuple(version(number) for number in range(versions)),
    )


@st.composite
def studies(draw: st.DrawFn) -> Made:
    """A small study, complete or with gaps; raters may lean, and may all say the same, on some metrics or on all.

    A plan may name some differences, whichever version it names first, and adjust these alone.
    """
    versions, raters = draw(st.integers(2, 3)), draw(st.integers(1, 4))
    backgrounds, metrics = draw(st.integers(2, 6)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    lift = draw(st.sampled_from([0.0, 0.5, 3.0]))
    item, rater, of = np.meshgrid(
        np.arange(versions * backgrounds), np.arange(raters), np.arange(metrics), indexing="ij"
    )
    item, rater, of = item.ravel(), rater.ravel(), of.ravel()
    kept = rng.random(len(item)) < draw(st.sampled_from([1.0, 0.6]))
    item, rater, of = item[kept], rater[kept], of[kept]
    # Where all say the same of a version, a difference has no interval, so that it is not tested.
    noise = np.array(draw(st.lists(st.sampled_from([0.0, 0.4, 1.0]), min_size=metrics, max_size=metrics)))[of]
    value = np.clip(np.round(2 + lift * (item % versions) + noise * rng.normal(size=len(item))), 1, 5)
    scores = StudyScores(item, rater, of, value, tuple(f"r{one}" for one in range(raters)), 0, 0)
    keys = [(f"m{m}", f"v{a}", f"v{b}") for m in range(metrics) for a, b in combinations(range(versions), 2)]
    primary = draw(st.sets(st.sampled_from(keys)))
    turned = draw(st.booleans())
    family = [(key[0], key[2], key[1]) if turned else key for key in primary] if draw(st.booleans()) else None
    asked = tuple(metric(one) for one in range(metrics))
    found = findings(items_of(versions, backgrounds), scores, asked, SCALE, 1, Planned(family=family or None))
    return Made(found, frozenset(primary))


def told(made: Made, *standing: str) -> list[str]:
    return lead(made.found, dashes=False, is_confirmatory=made.primary.__contains__, standing=standing)


@given(studies())
def test_the_lead_says_nothing_that_is_not_in_the_numbers(made: Made) -> None:
    sentences = told(made)
    assert len(sentences) <= MOST_SENTENCES
    for sentence in sentences:
        if found := PAIR.match(sentence):
            pair = ((found[2] or found[3]).lower(), found[1].lower())
            keys = [key for key in made.told if key[1:] == pair]
            assert keys, sentence
            assert ("primary metric" in sentence) == (keys[0] in made.primary)
            check_differences(made.found, sentence, keys)
            check_chance(made.found, sentence, keys)
    check_agreement(made.found, sentences)
    for marks in (1, 2):
        standing = [f"Mark {number}." for number in range(marks)]
        marked = told(made, *standing)
        assert marked[:marks] == standing
        assert len(marked) <= MOST_SENTENCES


def test_what_was_not_tested_is_not_said_to_be_more_than_chance_explains() -> None:
    """On the last of four metrics the difference has no interval; a plan's family leaves out what it does not name."""
    (said, *_) = told(of_four({("m0", "v0", "v1"), ("m1", "v0", "v1")}))
    assert said.startswith("V1 scored above V0 on 2 of 2 primary metrics, by ")
    assert said.endswith("; each is more than chance explains (Holm-adjusted p < .05).")
    (said, *_) = told(of_four(set()))
    assert said.startswith("V1 scored above V0 on 4 of 4 metrics, by ")
    assert said.endswith("; each of the 3 tested is more than chance explains (Holm-adjusted p < .05).")
    (said, *_) = told(of_four({("m3", "v0", "v1")}))
    assert said == "V1 scored above V0 on 1 of 1 primary metric, by 1.00 points; none of these differences was tested."
    (said, *_) = told(of_four({("m0", "v0", "v1"), ("m3", "v0", "v1")}))
    assert said.endswith("; the one tested is more than chance explains (p < .05).")


def of_four(primary: set[Key]) -> Made:
    """Two versions on 20 backgrounds by three raters, one point apart on four metrics; on the last one exactly so."""
    rng = np.random.default_rng(3)
    item, rater, of = (axis.ravel() for axis in np.meshgrid(np.arange(40), np.arange(3), np.arange(4), indexing="ij"))
    value = 2.0 + item % 2 + np.where(of == 3, 0, rng.integers(0, 2, len(item)))
    scores = StudyScores(item, rater, of, value, ("r0", "r1", "r2"), 0, 0)
    asked = tuple(metric(one) for one in range(4))
    return Made(findings(items_of(2, 20), scores, asked, SCALE, 1, Planned(family=primary or None)), frozenset(primary))


def check_differences(found: Findings, sentence: str, keys: Sequence[Key]) -> None:
    """On how many metrics, and by how much, versions differ."""
    values = valued(found, keys)
    for *_, sign, count, of, low, high in claims(sentence):
        on_this_side = [abs(value) for value in values if sign * value > 1e-9]
        assert (count, of) == (len(on_this_side), len(values))
        assert f"{min(on_this_side):.2f}" == low
        assert f"{max(on_this_side):.2f}" == (high or low)
    if same := re.search(r"scored the same on (\d+) ", sentence):
        assert all(abs(value) < 1e-9 for value in values)
        assert int(same[1]) == len(values)


def valued(found: Findings, keys: Sequence[Key]) -> list[float]:
    """The differences that have a value, by the analysis whose target the findings name."""
    known = [found.differences[key] for key in keys]
    values = [one.interval(found.target).value for one in known if one]
    return [value for value in values if value is not None]


def claims(sentence: str) -> Iterator[tuple[str, str, int, int, int, str, str | None]]:
    """(first, second, sign, metrics, of, least, most) of each claim in a sentence on two versions."""
    if above := ABOVE.search(sentence):
        second, first, *counts = above.groups()
        yield first, second, 1, int(counts[0]), int(counts[1]), counts[2], counts[3]
    if below := BELOW.search(sentence):
        first, *counts = below.groups()
        yield first, sentence.split()[0], -1, int(counts[0]), int(counts[1]), counts[2], counts[3]


def check_chance(found: Findings, sentence: str, keys: Sequence[Key]) -> None:
    """How many differences are more than chance explains, of those tested; the rest are not said to be."""
    tested = [p for key in keys if (p := found.adjusted[key]) is not None]
    said = sentence.rpartition("; ")[2]
    if not tested:
        assert said == "none of these differences was tested."
        return
    is_adjusted = sum(p is not None for p in found.adjusted.values()) > 1
    assert said.endswith(f" more than chance explains ({'Holm-adjusted p' if is_adjusted else 'p'} < .05).")
    assert bool(re.search(r"\btested\b", said)) == (len(tested) < len(valued(found, keys)))
    if number := re.search(r"the (\d+|one) tested", said):
        assert len(tested) == (1 if number[1] == "one" else int(number[1]))
    clear = sum(p < 0.05 for p in tested)
    if counted := re.match(r"(\d+) of (?:the )?(\d+) ", said):
        assert (int(counted[1]), int(counted[2])) == (clear, len(tested))
    elif said.startswith(("none ", "the one tested is not")):
        assert clear == 0
    else:
        assert said.startswith(("each ", "it is", "the one tested is more"))
        assert clear == len(tested)


def check_agreement(found: Findings, sentences: list[str]) -> None:
    """Agreement is called what its lowest value allows."""
    values = [one.estimates["alpha_ordinal"].value for one in found.agreement.values()]
    known = [value for value in values if value is not None]
    said = [sentence for sentence in sentences if sentence.startswith("Agreement")]
    assert bool(said) == bool(known)
    for sentence in said:
        assert f"{min(known):.2f}" in sentence
        assert f"{max(known):.2f}" in sentence
        assert ("reliable" in sentence) == (min(known) >= 0.8)
        assert ("tentative" in sentence) == (min(known) < 0.8)
