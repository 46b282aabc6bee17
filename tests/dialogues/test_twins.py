"""ConvAI2's training file: each dialogue twice, once from each side."""

from dialogues.formats import jsonl, parlai
from dialogues.formats.records import Record, Twin
from dialogues.formats.twins import canonical, without_twins

FIRST = (
    "1 your persona: i bake .\n2 hello there\thi , how are you ?\n3 i'm fine .\twhat do you do ?\n4 i swim .\tnice !\n"
)
# The same from the other side: an absent first message, roles exchanged, the last reply gone, contractions written out.
MIRRORED = (
    "1 your persona: i swim .\n2 __SILENCE__\thello there\n"
    "3 hi , how are you ?\ti am fine .\n4 what do you do ?\ti swim .\n"
)
OTHER = "1 good morning\tgood morning\n2 i cook .\ti don't .\n3 why ?\tno time .\n"


def kinds(text: str) -> list[type]:
    return [type(item) for item in without_twins(parlai.parse(text.splitlines(keepends=True)))]


def test_the_second_side_of_a_dialogue_is_recognised_anywhere_later() -> None:
    assert kinds(FIRST + OTHER + MIRRORED) == [Record, Record, Twin]


def test_whichever_comes_first_is_kept() -> None:
    assert kinds(MIRRORED + FIRST) == [Record, Twin]


def test_the_same_side_twice_is_a_twin_too() -> None:
    assert kinds(OTHER + OTHER) == [Record, Twin]


def test_dialogues_that_only_begin_alike_are_kept() -> None:
    assert kinds("1 hi\thello\n1 hi\thello\n2 how are you ?\tfine\n") == [Record, Record]


def test_contractions_and_punctuation_do_not_tell_twins_apart() -> None:
    assert canonical("I'm sure they don't , can't you ?") == canonical("i am sure they do not can not you")


def test_a_version_of_a_dialogue_is_no_twin_of_it_however_alike() -> None:
    said = '"messages": [[1, "hi"], [2, "hello"]]'
    lines = [
        f'{{"id": "a", {said}}}',
        f'{{"id": "b", "version": "beta", "origin": "a", {said}}}',
        f'{{"id": "c", {said}}}',
    ]
    assert [type(item) for item in without_twins(jsonl.parse(lines))] == [Record, Record, Twin]
