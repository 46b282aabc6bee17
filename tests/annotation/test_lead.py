"""The first lines of a report say nothing that its numbers do not."""

import re
from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.reports.columns import StudyItems, StudyScores, VersionItems
from annotation.reports.findings import Findings, findings
from annotation.reports.lead import MOST_SENTENCES, lead
from dialogues.counts import COUNT_FIELDS
from dialogues.rubric import Metric, Scale

SCALE = Scale(1, 5)
ABOVE = re.compile(r"(\S+) scored above (\S+) on (\d+) of (\d+) metrics?, by ([\d.]+)(?: to ([\d.]+))? points")
BELOW = re.compile(r"below (\S+) on (\d+) of (\d+) metrics?, by ([\d.]+)(?: to ([\d.]+))? points")


def metric(number: int) -> Metric:
    return Metric(f"m{number}", f"Metric {number}", "What it is.", "low", "high")


def version(number: int) -> VersionItems:
    return VersionItems(f"v{number}", f"V{number}", "other", 0, (), False)


@st.composite
def studies(draw: st.DrawFn) -> Findings:
    """A small study, complete or with gaps; raters may lean, and may all say the same."""
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
    noise = draw(st.sampled_from([0.0, 1.0]))
    value = np.clip(np.round(2 + lift * (item % versions) + noise * rng.normal(size=len(item))), 1, 5)
    pks = np.arange(versions * backgrounds)
    items = StudyItems(
        pks=pks,
        background=pks // versions,
        version=pks % versions,
        counts=np.ones((len(pks), len(COUNT_FIELDS)), dtype=np.int64),
        has_text=np.ones(len(pks), dtype=bool),
        versions=tuple(version(number) for number in range(versions)),
    )
    scores = StudyScores(item, rater, of, value, tuple(f"r{one}" for one in range(raters)), 0, 0)
    return findings(items, scores, tuple(metric(one) for one in range(metrics)), SCALE, 1)


def told(found: Findings) -> list[str]:
    return lead(found, dashes=False, is_confirmatory=lambda _: False, standing=())


@given(studies())
def test_the_lead_says_nothing_that_is_not_in_the_numbers(found: Findings) -> None:
    sentences = told(found)
    assert len(sentences) <= MOST_SENTENCES
    for sentence in sentences:
        check_differences(found, sentence)
        check_chance(found, sentence)
    check_agreement(found, sentences)
    for marks in (1, 2):
        standing = [f"Mark {number}." for number in range(marks)]
        marked = lead(found, dashes=False, is_confirmatory=lambda _: False, standing=standing)
        assert marked[:marks] == standing
        assert len(marked) <= MOST_SENTENCES


def check_differences(found: Findings, sentence: str) -> None:
    """On how many metrics, and by how much, versions differ."""
    for first, second, sign, count, of, low, high in claims(sentence):
        values = [
            one.like_these.value
            for key, one in found.differences.items()
            if one and one.like_these.value is not None and key[1:] == (first.lower(), second.lower())
        ]
        on_this_side = [abs(value) for value in values if sign * value > 1e-9]
        assert (count, of) == (len(on_this_side), len(values))
        assert f"{min(on_this_side):.2f}" == low
        assert f"{max(on_this_side):.2f}" == (high or low)


def claims(sentence: str) -> Iterator[tuple[str, str, int, int, int, str, str | None]]:
    """(first, second, sign, metrics, of, least, most) of each claim in a sentence on two versions."""
    if above := ABOVE.search(sentence):
        second, first, *counts = above.groups()
        yield first, second, 1, int(counts[0]), int(counts[1]), counts[2], counts[3]
    if below := BELOW.search(sentence):
        first, *counts = below.groups()
        yield first, sentence.split()[0], -1, int(counts[0]), int(counts[1]), counts[2], counts[3]


def check_chance(found: Findings, sentence: str) -> None:
    """How many differences are more than chance explains."""
    if "more than chance explains" in sentence:
        second, first = sentence.split()[0], re.search(r"(?:above|below) (\S+)|and (\S+) scored", sentence)
        assert first is not None
        pair = ((first[1] or first[2]).lower(), second.lower())
        tested = [found.adjusted[key] for key in found.differences if key[1:] == pair]
        clear = sum(p is not None and p < 0.05 for p in tested)
        every = sum(p is not None for p in tested)
        if clear == every:
            assert re.search(r"; (each|it) is more", sentence)
        elif clear:
            assert f"; {clear} of {every} " in sentence
        else:
            assert "; none is more" in sentence


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
