"""No text that a person or a model writes makes a pattern, a splitter or an alignment work more than its length."""

import importlib
import pkgutil
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annotation
import dialogues
import generation
from demo.model.writing import further_split
from dialogues import subsequence
from dialogues.splitting import sentences
from dialogues.transcript import Message, Transcript
from generation.curation.wording import MOST_PIECES, dialogue_changed, words_changed
from tests.examples import many
from tests.regex_steps import search_steps

# Each makes a text of about so many letters that some pattern could read again and again.
HOSTILE: dict[str, Callable[[int], str]] = {
    **{f"{mark!r} throughout": lambda n, mark=mark: mark * n for mark in "。`~#>;=/\\|1aA"},
    **{f"{mark!r}, then a letter": lambda n, mark=mark: mark * n + "a" for mark in ".?!…[({*\"'<:,-_ \n\t"},
    **{
        f"{pair!r} throughout": lambda n, pair=pair: pair * (n // len(pair)) + "x"
        for pair in (
            ". ",
            ".\t",
            "? ",
            "[a ",
            "(a ",
            "* ",
            "' ",
            "a' ",
            '" ',
            '\\"',
            " :",
            ", ",
            "\n ",
            "a.",
            "ab ",
            "i ",
        )
    },
    "blanks between words": lambda n: "a" + " " * n + "a",
    "blanks before a full stop": lambda n: "a" + " " * n + ".a",
    "a label and blanks": lambda n: "* User 1:" + " a " + " " * n + "a",
    "a label of a model": lambda n: "**" * (n // 4) + "user" + " " * (n // 2) + "1",
    "an open tag again and again": lambda n: "<think>" * (n // 7),
    "closing marks after a full stop": lambda n: "." + ")" * n + "a",
    "models' names": lambda n: "phi3" * (n // 8) + "llama3" * (n // 12),
    "numbered names": lambda n: " v1" * (n // 3) + "x",
    "an open string": lambda n: '"' + "\\" * n,
    "an address": lambda n: "a@" + "a-" * (n // 2) + "!",
    "contractions": lambda n: "can n't " * (n // 8),
}
SHORT, LONG = 60, 240
# Read only where a text of at most 40 letters is asked for a speaker.
OF_SHORT_TEXTS = {"generation.replies._LABEL"}
# Four times the length may take four times the steps, and some for patterns of a bounded reach; the square takes 16.
MOST_GROWTH, REACH = 7, 80


def modules() -> Iterator[ModuleType]:
    for package in (dialogues, generation, annotation):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name:
                # What trains models has libraries that only its own environment has.
                with suppress_missing(TRAINS_WITH):
                    yield importlib.import_module(found.name)


TRAINS_WITH = {"torch", "transformers", "trl", "peft", "datasets", "tokenizers", "accelerate", "safetensors"}


@contextmanager
def suppress_missing(libraries: set[str]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in libraries:
            raise


SEARCHES = r"\.(?:search|sub|subn|split|findall|finditer)\("


def patterns() -> dict[str, tuple[re.Pattern[str], bool]]:
    """Every compiled pattern that stands in a module, by itself or in a table, and whether texts are searched for it.

    One that is only matched against a whole text, or its beginning, starts once.
    """

    def within(name: str, value: object) -> Iterator[tuple[str, re.Pattern[str]]]:
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            yield name, value
        elif isinstance(value, dict):
            for key, one in value.items():
                yield from within(f"{name}[{key!r}]", one)
        elif isinstance(value, tuple | list):
            for place, one in enumerate(value):
                yield from within(f"{name}[{place}]", one)

    return {
        name: (pattern, not isinstance(value, re.Pattern) or bool(re.search(rf"\b{attribute}{SEARCHES}", source)))
        for module in modules()
        for source in (Path(str(module.__file__)).read_text(encoding="utf-8"),)
        for attribute, value in vars(module).items()
        for name, pattern in within(f"{module.__name__}.{attribute}", value)
    }


PATTERNS = patterns()


@pytest.mark.parametrize("what", HOSTILE)
def test_every_pattern_takes_steps_in_proportion_to_the_text(what: str) -> None:
    short, long = HOSTILE[what](SHORT), HOSTILE[what](LONG)
    slow = {}
    for name, (pattern, searched) in PATTERNS.items():
        if name in OF_SHORT_TEXTS:
            continue
        few, many = (search_steps(pattern, text, anchored=not searched) for text in (short, long))
        if many > MOST_GROWTH * few + REACH * LONG:
            slow[name] = few, many
    assert not slow


def test_the_count_of_steps_tells_a_quadratic_pattern_from_a_linear_one() -> None:
    for pattern in (r"[.!?]+(?=\s)", r"\s+(?=and)", r"\(.*\)", r"(?:a|b)*c"):
        short, long = (max(search_steps(re.compile(pattern), HOSTILE[what](n)) for what in HOSTILE) for n in (40, 160))
        assert long > 10 * short, pattern
    linear = re.compile(r"(?<!\s)\s+(?=and)")
    assert search_steps(linear, " " * 160) < 5 * search_steps(linear, " " * 40)


# As sentence ends were told with a pattern that read a run of marks again from each of its marks.
SENTENCE_END = re.compile(r"""[.!?…]+(?:[ \t]+[.!?…]+)*[)\]"'’”»]*(?=\s)|[。！？]+[）」』”’]*""")


@settings(max_examples=many(400), deadline=None)
@given(st.text(alphabet="ab .!?…)\"'\t\n。」”1", max_size=40))
def test_sentences_end_where_marks_stand_before_a_blank(text: str) -> None:
    ends = [0, *(found.end() for found in SENTENCE_END.finditer(text)), len(text)]
    parts = [text[start:end].strip() for start, end in pairwise(ends)]
    assert sentences(text) == [part for part in parts if part]


def test_forty_thousand_dots_and_a_letter_are_one_sentence() -> None:
    assert sentences("." * 40_000 + "a") == ["." * 40_000 + "a"]
    assert len(sentences("Yes . . . " * 4_000)) == 4_000


def test_the_demo_cuts_a_long_message_and_loses_no_word() -> None:
    text = "a, and b. " * 2_000
    split = further_split(Transcript((Message(1, text.strip()), Message(2, "and " * 1_000 + "so."))), Random(1))
    assert (
        " ".join(message.text for message in split if message.speaker == 1).replace(",", "").split()
        == text.replace(",", "").split()
    )
    assert max(len(message.text.split()) for message in split) < 40


def words(seed: int, count: int, vocabulary: int) -> list[str]:
    rng = Random(seed)
    return [str(rng.randrange(vocabulary)) for _ in range(count)]


@pytest.mark.parametrize("vocabulary", [1, 50, 1_000_000])
def test_aligning_long_texts_holds_a_few_megabytes_whatever_they_say(vocabulary: int) -> None:
    left, right = words(1, 8_000, vocabulary), words(2, 8_000, vocabulary)
    right[:2_000] = left[:2_000]
    tracemalloc.start()
    try:
        found = subsequence.matched(left, right)
        length = subsequence.common_length(left, right)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == length >= 2_000
    assert all(left[one] == right[other] for one, other in found)
    # 8,000 rows of 8,000 bits are 8 MB, and numbers for a million different words would be as much again.
    assert peak < 6_500_000


def test_texts_too_long_to_compare_share_what_both_begin_and_end_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsequence, "MOST_KEPT", 100)
    monkeypatch.setattr(subsequence, "MOST_COMPARED", 300)
    left, right = "abc" + "xyz" * 10 + "def", "abc" + "zxzy" * 10 + "def"
    found = subsequence.matched(left, right)
    assert found == [(0, 0), (1, 1), (2, 2), (33, 43), (34, 44), (35, 45)]
    assert subsequence.common_length(left, right) == 6


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abc", max_size=40), st.text(alphabet="abc", max_size=40))
def test_halving_finds_as_long_a_common_subsequence_as_all_rows_do(left: str, right: str) -> None:
    whole = subsequence.matched(left, right)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subsequence, "MOST_KEPT", 20)
        patched.setattr(subsequence, "KEPT_PLACES", 1)
        halved = subsequence.matched(left, right)
        assert subsequence.common_length(left, right) == len(whole)
    assert len(halved) == len(whole)
    assert all(left[one] == right[other] for one, other in halved)
    assert halved == sorted(halved)
    assert len({one for one, _ in halved}) == len({other for _, other in halved}) == len(halved)


def test_the_same_word_over_and_over_is_not_compared_with_each_of_its_repeats() -> None:
    before, after = "no " * (MOST_PIECES // 4 - 10), "yes " + "no " * (MOST_PIECES // 4 - 11)
    assert [piece.mark for piece in words_changed(before, after)] == ["removed", "added"]
    one = Transcript(tuple(Message(1, "ok") for _ in range(900)))
    other = Transcript((Message(1, "well"), *(Message(1, "ok") for _ in range(899))))
    lines = dialogue_changed(one, other)
    assert [line.mark for line in lines[:2]] == ["reworded", "reworded"]
    assert len(lines) == 900
