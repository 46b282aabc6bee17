"""ParlAI's named fields, DailyDialog and EmpatheticDialogues, with the oddities of each."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import daily_dialog, empathetic, parlai_fields
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import MOST_MESSAGES, BadRecord, Parser, Record
from dialogues.formats.registry import recognised
from tests.examples import many

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"


def file(text: str) -> FileLines:
    return FileLines(io.BytesIO(text.encode()))


def read(parse: Parser, text: str) -> list[Record | BadRecord]:
    return list(parse(file(text)))  # type: ignore[call-arg]


def one(parse: Parser, text: str) -> Record:
    (record,) = read(parse, text)
    assert isinstance(record, Record), record
    return record


def test_named_fields_are_exchanges_until_the_episode_is_done() -> None:
    text = (
        "text:your persona: i bake.\\nyour persona: i swim.\\nhi : there\tlabels:hello|hey\tlabel_candidates:a|b\n"
        "\n"
        "text:bye\\nnow\teval_labels:bye\tid:x\tepisode_done:True\n"
        "text:next\tlabels:one\tepisode_done:True\n"
    )
    assert recognised(file(text)).form.name == "parlai-fields"
    first, second = read(parlai_fields.parse, text)
    assert isinstance(first, Record)
    assert first.transcript.to_json() == [[1, "hi : there"], [2, "hello"], [1, "bye\nnow"], [2, "bye"]]
    assert (first.key, first.traits_2) == ("00001", ("i bake.", "i swim."))
    assert isinstance(second, Record)
    assert (second.key, second.row) == ("00002", 4)


def test_a_field_without_words_is_silence() -> None:
    record = one(parlai_fields.parse, "text:\tlabels:hello\ntext:hi\tepisode_done:True\n")
    assert record.transcript.to_json() == [[2, "hello"], [1, "hi"]]
    assert record.tally["silences"] == 2


def test_an_episode_that_the_file_does_not_end_is_bad() -> None:
    (bad,) = read(parlai_fields.parse, "text:hi\tlabels:hello\ntext:you\tlabels:there\n")
    assert bad == BadRecord(2, "the file ends before episode_done:True; get it whole", "00001")


def test_a_line_without_the_field_text_is_named() -> None:
    (bad,) = read(parlai_fields.parse, "text:hi\tlabels:hello\nlabels:x\tepisode_done:True\n")
    assert bad == BadRecord(2, "no field text; the fields are labels, episode_done", "00001")


def test_daily_dialogs_are_lines_whose_speakers_alternate() -> None:
    text = "Hi ! __eou__ Hello . How are you ? __eou__\n\nFine . __eou__ __eou__ Good . __eou__\n"
    assert recognised(file(text)).form.name == "dailydialog"
    first, second = read(daily_dialog.parse, text)
    assert isinstance(first, Record)
    assert first.transcript.to_json() == [[1, "Hi !"], [2, "Hello . How are you ?"]]
    assert first.tally == {"speakers_by_turn_order": 1}
    assert isinstance(second, Record)
    assert (second.key, second.transcript.to_json()) == ("00003", [[1, "Fine ."], [1, "Good ."]])
    assert second.tally == {"speakers_by_turn_order": 1, "empty_messages_set_aside": 1}


def test_a_daily_dialog_that_is_cut_off_is_bad() -> None:
    (bad,) = read(daily_dialog.parse, "Hi ! __eou__ Hello")
    assert bad == BadRecord(1, "the line ends without __eou__; the message may be cut off", "00001")


def test_empathetic_dialogues_begin_with_who_describes_the_situation() -> None:
    text = (
        HEADER + "hit:1,1,sad,My dog died_comma_ alas.,9,I lost my dog_comma_ Rex.,5|5,\n"
        'hit:1,2,sad,My dog died_comma_ alas.,4,"Oh no,5|5,<x>\n'
        "hit:1,3,sad,My dog died_comma_ alas.,9,Yes.,5|5,,a|b_comma_ c\n"
        "hit:2,1,proud,I won.,4,I won!,5|5,\nhit:2,2,proud,I won.,9,Great!,5|5,\n"
    )
    assert recognised(file(text)).form.name == "empathetic"
    first, second = read(empathetic.parse, text)
    assert isinstance(first, Record)
    assert first.transcript.to_json() == [[1, "I lost my dog, Rex."], [2, '"Oh no'], [1, "Yes."]]
    assert first.theme == "My dog died, alas."
    assert isinstance(second, Record)
    assert second.transcript.to_json() == [[1, "I won!"], [2, "Great!"]]


def test_empathetic_rows_come_in_the_order_of_their_index_wherever_they_stand() -> None:
    rows = ["a,2,x,p,1,two,s,t", "b,1,x,p,0,one,s,t", "a,1,x,p,0,one,s,t", "a,10,x,p,0,ten,s,t"]
    first, _ = read(empathetic.parse, HEADER + "\n".join(rows))
    assert isinstance(first, Record)
    assert [text for _, text in first.transcript] == ["one", "two", "ten"]
    assert first.tally["dialogues_whose_rows_stood_apart"] == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,1,x,p,0", "5 cells where 8 are wanted"),
        (
            "a,1,x,hi, there,0,text,s,t",
            "utterance_idx and speaker_idx must be whole numbers; write a comma as _comma_",
        ),
    ],
)
def test_an_empathetic_row_of_other_cells_is_bad(row: str, reason: str) -> None:
    (bad,) = read(empathetic.parse, HEADER + row + "\n")
    assert isinstance(bad, BadRecord)
    assert bad.reason == reason


def test_a_file_without_the_header_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="conv_id, utterance_idx"):
        read(empathetic.parse, "a,b\n1,2\n")


def fields(texts: list[str]) -> str:
    exchanges = [f"text:{text}\tlabels:__SILENCE__" for text in texts]
    return "\n".join(exchanges) + "\tepisode_done:True\n"


def eou(texts: list[str]) -> str:
    return "".join(f"{text} __eou__ " for text in texts) + "\n"


def empathetic_rows(texts: list[str]) -> str:
    return HEADER + "".join(f"a,{number},x,p,0,{text},s,t\n" for number, text in enumerate(texts, 1))


WRITERS: dict[str, tuple[Parser, Callable[[list[str]], str]]] = {
    "parlai-fields": (parlai_fields.parse, fields),
    "dailydialog": (daily_dialog.parse, eou),
    "empathetic": (empathetic.parse, empathetic_rows),
}


@pytest.mark.parametrize("form", WRITERS)
def test_the_limit_of_messages_is_named(form: str) -> None:
    parse, write = WRITERS[form]
    assert len(one(parse, write(["x"] * MOST_MESSAGES)).transcript) == MOST_MESSAGES
    (bad,) = read(parse, write(["x"] * (MOST_MESSAGES + 1)))
    assert isinstance(bad, BadRecord)
    assert "more than 5,000 messages" in bad.reason


LETTER = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="|,\\_:")
WORDS = st.text(LETTER, min_size=1, max_size=6)


@settings(max_examples=many(300))
@given(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from(sorted(WRITERS)))
def test_what_was_written_in_a_form_is_read_back_equal(texts: list[str], form: str) -> None:
    parse, write = WRITERS[form]
    assert [text for _, text in one(parse, write(texts)).transcript] == texts


@settings(max_examples=many(500))
@given(st.lists(WORDS, min_size=2, max_size=4), st.data())
def test_a_dialogue_of_one_line_or_episode_is_never_cut_short_in_silence(texts: list[str], data: st.DataObject) -> None:
    for parse, write in (WRITERS["parlai-fields"], WRITERS["dailydialog"]):
        whole = write(texts).rstrip("\n ")
        for item in _items(parse, whole[: data.draw(st.integers(0, len(whole)))]):
            if isinstance(item, Record):
                assert len(item.transcript) == len(texts) or "__eou__" in whole


def _items(parse: Parser, text: str) -> Iterator[Record | BadRecord]:
    with suppress(UnreadableFileError):
        yield from read(parse, text)


@settings(max_examples=many(1000))
@given(st.text(alphabet='text:labels,_eou\t\n\r1a\\n|\x00\ud800"', max_size=80), st.sampled_from(sorted(WRITERS)))
def test_anything_is_read_or_refused_with_a_reason(text: str, form: str) -> None:
    parse, _ = WRITERS[form]
    content = (HEADER * (form == "empathetic") + text).encode("utf-8", "surrogatepass")
    with suppress(UnreadableFileError):
        items = list(parse(FileLines(io.BytesIO(content))))  # type: ignore[call-arg]
        assert all(isinstance(item, Record) or item.reason for item in items)
