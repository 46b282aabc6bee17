"""WhatsApp exports: how phones write lines, which order dates have, what is set aside, groups and silences."""

import io
import re
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import whatsapp
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import AS_IT_COMES, MOST_MESSAGES, BadRecord, Choices, Record
from dialogues.formats.registry import recognised
from tests.examples import many

ANDROID = """\
31/12/20, 14:05 - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.
31/12/20, 14:05 - Mary: hi
31/12/20, 14:06 - Tom: Shopping:
flour

milk
31/12/20, 14:07 - Mary: <Media omitted>
01/01/21, 00:00 - Tom: Happy new year! <This message was edited>
01/01/21, 00:01 - Missed voice call
01/01/21, 00:02 - Mary: IMG-20210101-WA0003.jpg (file attached)
Look at this
01/01/21, 00:03 - Mary: This message was deleted
01/01/21, 00:04 - Mary:
"""
BROKEN_NAME = """\
31/12/20, 14:05 - Ma\x00ry: hi
01/01/21, 14:06 - Tom: hello
"""
IPHONE = """\
\u200e[2020-12-31, 2:05:10\u202fPM] Mary: \u200eMessages and calls are end-to-end encrypted.
[2020-12-31, 2:05:10\u202fPM] ~\u202fMary: hi
\u200e[2020-12-31, 2:05:12\u202fPM] ~\u202fMary: \u200eimage omitted
[2021-01-01, 12:00:00\u202fAM] \u202a+49 151 2345678\u202c: Happy new year
\u200e[2021-01-01, 12:00:02\u202fAM] ~\u202fMary: \u200e<attached: 00000012-AUDIO-2021-01-01-00-00-02.opus>
[2021-01-01, 12:00:03\u202fAM] ~\u202fMary: report.pdf • \u200e3 pages \u200edocument omitted
"""


def file(text: str) -> FileLines:
    return FileLines(io.BytesIO(text.encode()))


def read(text: str, choices: Choices = AS_IT_COMES) -> list[Record | BadRecord]:
    return list(whatsapp.parse(file(text), choices))


def one(text: str, choices: Choices = AS_IT_COMES) -> Record:
    (record,) = read(text, choices)
    assert isinstance(record, Record), record
    return record


def test_a_phone_with_android_is_read() -> None:
    record = one(ANDROID)
    assert record.transcript.to_json() == [
        [1, "hi"],
        [2, "Shopping:\nflour\n\nmilk"],
        [2, "Happy new year!"],
        [1, "Look at this"],
    ]
    assert (record.key, record.names) == ("chat", ("Mary", "Tom"))
    assert record.times[0] == "2020-12-31T14:05:00"
    assert record.tally == {
        "notices_set_aside": 2,
        "media_set_aside": 1,
        "edit_marks_removed": 1,
        "images_set_aside": 1,
        "deleted_messages_set_aside": 1,
        "empty_messages_set_aside": 1,
    }
    assert record.facts == ("Dates are read as day-month-year (a day above 12 shows it).",)


def test_an_iphone_is_read_with_its_marks_and_afternoons() -> None:
    record = one(IPHONE)
    assert record.transcript.to_json() == [[1, "hi"], [2, "Happy new year"]]
    assert record.names == ("Mary", "+49 151 2345678")
    assert record.times == ("2020-12-31T14:05:10", "2021-01-01T00:00:00")
    assert record.tally == {
        "notices_set_aside": 1,
        "images_set_aside": 1,
        "audio_messages_set_aside": 1,
        "documents_set_aside": 1,
    }
    assert record.facts == ("Dates are read as year-month-day (the year stands first).",)


@pytest.mark.parametrize("text", [ANDROID, IPHONE, ANDROID.replace("\n", "\r\n")])
def test_an_export_is_told_by_its_first_line_and_is_private(text: str) -> None:
    found = recognised(file(text))
    assert (found.form.name, found.form.is_private) == ("whatsapp", True)
    assert found.seen == "lines that begin with a date, a time and a name"


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("[15-01-20 02:22:56] Mary: hi", "2020-01-15T02:22:56"),
        ("31.12.20, 14:05 - Mary: hi", "2020-12-31T14:05:00"),
        ("31.12.2020 um 14:05 - Mary: hi", "2020-12-31T14:05:00"),
        ("31/12/2020 à 14:05 - Mary: hi", "2020-12-31T14:05:00"),
        ("12/31/20, 2:05 PM - Mary: hi", "2020-12-31T14:05:00"),
        ("31/12/20 2:05 p. m. - Mary: hi", "2020-12-31T14:05:00"),
        ("2020. 12. 31. 14:05 - Mary: hi", "2020-12-31T14:05:00"),
        ("[31/12/20, 14.05.09] Mary: hi", "2020-12-31T14:05:09"),
        ("٣١/١٢/٢٠٢٠, ١٤:٠٥ - Mary: hi", "2020-12-31T14:05:00"),
        ("٣١/١٢/٢٠٢٠، ٢:٠٥ م - Mary: hi", "2020-12-31T14:05:00"),
    ],
)
def test_each_way_to_write_a_time_is_read(line: str, time: str) -> None:
    record = one(line + "\n")
    assert record.times == (time,)
    assert record.transcript.to_json() == [[1, "hi"]]


@pytest.mark.parametrize(
    "words",
    [
        *("<Media omitted>", "\u200eimage omitted", "\u200eBild weggelassen", "<Medien ausgeschlossen>"),
        *("<Multimedia omitido>", "\u200eimagen omitida", "\u200eimage absente", "<Médias omis>", "<Mídia oculta>"),
        *(
            "\u200eimagem ocultada",
            "<Media omessi>",
            "\u200eimmagine omessa",
            "\u200esticker omitted",
            "\u200eGIF omitted",
        ),
        *("STK-20201231-WA0001.webp (Datei angehängt)", "\u200e<adjunto: 00000001-VIDEO-2020-12-31.mp4>"),
        *("Du hast diese Nachricht gelöscht.", "Se eliminó este mensaje.", "Ce message a été supprimé"),
        *("Você apagou esta mensagem", "Hai eliminato questo messaggio"),
    ],
)
def test_what_stands_for_media_or_deleted_messages_is_set_aside_in_six_languages(words: str) -> None:
    record = one(f"31/12/20, 14:05 - Mary: hi\n31/12/20, 14:06 - Tom: {words}\n31/12/20, 14:07 - Tom: yes\n")
    assert record.transcript.to_json() == [[1, "hi"], [2, "yes"]]
    (kind,) = [name for name in record.tally if name.endswith("_set_aside")]
    assert record.tally[kind] == 1


@pytest.mark.parametrize(
    "notice",
    [
        'Mary changed the subject from "A: B" to "C"',
        "Tom hat den Betreff zu „A: B“ geändert",
        "Mary creó el grupo “A: B”",
        "Mary a créé le groupe “A: B”",
        "Mary criou o grupo “A: B”",
        "Mary ha creato il gruppo “A: B”",
        "Your security code with Tom changed. Tap to learn more.",
    ],
)
def test_a_notice_is_nobodys_message_also_where_it_has_a_colon(notice: str) -> None:
    record = one(f"31/12/20, 14:05 - {notice}\n31/12/20, 14:06 - Mary: hi\n")
    assert record.transcript.to_json() == [[1, "hi"]]
    assert record.tally["notices_set_aside"] == 1


def test_a_message_may_begin_on_the_line_below_its_name() -> None:
    assert one("31/12/20, 14:05 - Mary:\nhi\n\n").transcript.to_json() == [[1, "hi"]]


def test_what_people_say_about_media_stays() -> None:
    text = "31/12/20, 14:05 - Mary: she left the group: image omitted!\n"
    assert one(text).transcript.to_json() == [[1, "she left the group: image omitted!"]]


def test_months_are_told_from_days_by_time_going_forward() -> None:
    text = "03/04/20, 10:00 - A: x\n03/05/20, 10:00 - A: y\n04/01/20, 10:00 - A: z\n"
    record = one(text)
    assert record.times[0] == "2020-03-04T10:00:00"
    assert (record.tally, record.facts) == ({}, ("Dates are read as month-day-year (time goes forward so).",))


def test_a_file_that_does_not_show_the_order_of_dates_asks_for_it() -> None:
    text = "03/04/20, 10:00 - A: x\n04/04/20, 10:00 - A: y\n"
    (bad,) = read(text)
    assert isinstance(bad, BadRecord)
    assert re.search(r"such as 03/04/20, begin with the day .* --date-order dmy", bad.reason)
    assert one(text, Choices(date_order="mdy")).times[0] == "2020-03-04T10:00:00"
    assert one(text, Choices(date_order="dmy")).facts == ("Dates are read as day-month-year (as you said).",)


def test_a_group_whose_dates_are_unclear_asks_for_both_at_once() -> None:
    dates, people = read("".join(f"03/04/20, 14:00 - {name}: hi\n" for name in ("Mary", "Tom", "Ann")))
    assert isinstance(dates, BadRecord)
    assert isinstance(people, BadRecord)
    assert (dates.people, people.people) == ((), (("Mary", 1), ("Tom", 1), ("Ann", 1)))


def test_a_date_that_does_not_exist_begins_no_message() -> None:
    text = "30/12/20, 10:00 - A: x\n31/12/20, 10:00 - A: pasted:\n12/31/20, 10:00 - B: y\n"
    record = one(text)
    assert record.transcript.to_json() == [[1, "x"], [1, "pasted:\n12/31/20, 10:00 - B: y"]]
    assert record.tally["dates_that_do_not_exist_read_as_text"] == 1


GROUP = "".join(f"31/12/20, 14:0{number} - {name}: hi\n" for number, name in enumerate(["Mary", "Tom", "Ann", "Tom"]))


def test_a_group_names_its_people_and_asks_for_two() -> None:
    (bad,) = read(GROUP)
    assert isinstance(bad, BadRecord)
    assert bad.reason == (
        "this chat has 3 people: “Tom” (2), “Mary” (1), “Ann” (1); a dialogue has two. Choose whose messages to keep, "
        "on the import page or by --people NAME,NAME"
    )
    assert bad.people == (("Tom", 2), ("Mary", 1), ("Ann", 1))
    record = one(GROUP, Choices(people=("Tom", "Ann")))
    assert (record.transcript.to_json(), record.names) == ([[1, "hi"], [2, "hi"], [1, "hi"]], ("Tom", "Ann"))
    assert record.tally["messages_of_others_set_aside"] == 1
    (wrong,) = read(GROUP, Choices(people=("Tim", "Ann")))
    assert isinstance(wrong, BadRecord)
    assert wrong.reason.startswith("nobody called “Tim” writes in this chat; its people are “Tom” (2)")


def test_silences_split_a_chat_and_people_keep_their_sides_and_names() -> None:
    text = (
        "30/12/20, 10:00 - Mary: a\n30/12/20, 11:00 - Tom: b\n"
        "31/12/20, 10:00 - Tom: c\n31/12/20, 10:01 - Missed voice call\n31/12/20, 23:00 - Mary: d\n"
    )
    assert len(one(text).transcript) == 4
    first, second, third = read(text, Choices(silence_hours=8))
    assert isinstance(second, Record)
    assert [item.key for item in (first, second, third)] == ["chat/001", "chat/002", "chat/003"]
    assert (second.transcript.to_json(), second.names, second.row) == ([[2, "c"]], ("Mary", "Tom"), 3)
    assert second.tally["notices_set_aside"] == 1


def test_a_long_chat_is_advised_to_split_at_silences() -> None:
    text = "".join(f"31/12/20, 14:05 - Mary: {number}\n" for number in range(MOST_MESSAGES + 1))
    (bad,) = read(text)
    assert isinstance(bad, BadRecord)
    assert bad.row == 5001
    assert "more than 5,000 messages" in bad.reason
    assert bad.reason.endswith("--silence 8 for eight hours")


def test_a_chat_without_a_message_says_what_was_set_aside() -> None:
    (bad,) = read("31/12/20, 14:05 - Mary: <Media omitted>\n")
    assert bad == BadRecord(1, "no message is left (media set aside: 1)", "chat")


def test_a_file_that_is_no_export_says_how_one_begins() -> None:
    with pytest.raises(UnreadableFileError, match="31/12/20, 14:05 - Mary: hi"):
        read("hello\nworld\n")


def test_a_byte_that_is_not_utf8_makes_its_dialogue_bad() -> None:
    lines = FileLines(io.BytesIO(ANDROID.encode() + b"01/01/21, 00:05 - Mary: caf\xe9\n"))
    (bad,) = whatsapp.parse(lines)
    assert isinstance(bad, BadRecord)
    assert (bad.row, bad.reason[:20]) == (14, "not UTF-8 (byte 0xE9")


WRITTEN = {
    "dmy": "%d/%m/%y, %H:%M - {}: {}",
    "mdy": "[%m/%d/%Y, %I:%M:%S\u202f%p] {}: {}",
    "ymd": "[%Y-%m-%d %H:%M:%S] {}: {}",
}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8).filter(
    lambda text: not text.endswith(">")
)
SAID = st.tuples(st.sampled_from(["Mary", "Tom"]), st.lists(TEXT, min_size=1, max_size=3), st.integers(0, 100_000))


MOMENT = st.datetimes(datetime(2010, 1, 1), datetime(2029, 1, 1))  # noqa: DTZ001 – an export names no zone


@settings(max_examples=many(500))
@given(st.lists(SAID, min_size=1, max_size=8), st.sampled_from(sorted(WRITTEN)), MOMENT)
def test_a_chat_written_in_any_order_of_dates_is_read_back_equal(
    said: list[tuple[str, list[str], int]], order: str, moment: datetime
) -> None:
    moment, lines, times = moment.replace(second=0, microsecond=0), [], []
    for name, texts, minutes in said:
        moment += timedelta(minutes=minutes)
        times.append(moment.isoformat())
        lines.append(moment.strftime(WRITTEN[order]).format(name, "\n".join(texts)) + "\n")
    record = one("".join(lines), Choices(date_order=order))
    assert record.times == tuple(times)
    names = [record.names[speaker - 1] for speaker, _ in record.transcript]
    assert list(zip(names, (text.split("\n") for _, text in record.transcript), strict=True)) == [
        (name, texts) for name, texts, _ in said
    ]
    for item in read("".join(lines)):
        # Where the file shows the order of dates, it is the one in which it was written, or as good.
        if isinstance(item, Record):
            assert len(item.transcript) == len(said)
        else:
            assert "begin with the day or with the month" in item.reason


@settings(max_examples=many(500))
@given(st.integers(0, len(ANDROID)), st.sampled_from([None, 1.0]))
def test_the_beginning_of_an_export_has_the_messages_of_its_whole_lines(cut: int, hours: float | None) -> None:
    """A text that is cut off cannot be told from a shorter one; no whole line is ever lost."""
    with suppress(UnreadableFileError):
        items = read(ANDROID[:cut], Choices(silence_hours=hours))
        texts = [text for item in items if isinstance(item, Record) for _, text in item.transcript]
        whole = [text for _, text in one(ANDROID).transcript]
        assert texts[:-1] == whole[: max(0, len(texts) - 1)]


@settings(max_examples=many(1000))
@given(st.text(alphabet="1230/.-: ,[]AaPpmM\u200e\u202f\n\r<>x\ud800\x00~", max_size=80), st.booleans())
def test_anything_is_read_or_refused_with_a_reason(text: str, begins: bool) -> None:
    content = ("31/12/20, 14:05 - Mary: hi\n" * begins + text).encode("utf-8", "surrogatepass")
    with suppress(UnreadableFileError):
        items = list(whatsapp.parse(FileLines(io.BytesIO(content)), Choices(silence_hours=1)))
        assert all(isinstance(item, Record) or item.reason for item in items)


def test_a_name_that_cannot_be_stored_makes_every_part_of_the_chat_bad() -> None:
    parts = list(whatsapp.parse(FileLines(io.BytesIO(BROKEN_NAME.encode())), Choices(silence_hours=8)))
    assert [part.reason for part in parts if isinstance(part, BadRecord)] == [
        "a speaker's name: text contains a NUL character"
    ] * 2


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("\u200f٣١\u200f/١٢\u200f/٢٠٢٠، ٢:٠٥ م - ", "2020-12-31T14:05:00"),
        ("31\u200f/12\u200f/2020, 2:05 ص - ", "2020-12-31T02:05:00"),
        ("2020/12/31 下午2:05 - ", "2020-12-31T14:05:00"),
        ("2020/12/31 上午12:05 - ", "2020-12-31T00:05:00"),
        ("2020/12/31 午後2:05 - ", "2020-12-31T14:05:00"),
        ("2020. 12. 31. 오후 2:05 - ", "2020-12-31T14:05:00"),
        ("31.12.2020 klo 14.05 - ", "2020-12-31T14:05:00"),
        ("31.12.2020, kl. 14.05 - ", "2020-12-31T14:05:00"),
    ],
)
def test_dates_and_halves_of_the_day_are_read_as_other_languages_write_them(begins: str, ends: str) -> None:
    file = FileLines(io.BytesIO(f"{begins}Mary: hi\n{begins}Tom: hello\n".encode()))
    found = recognised(file)
    (record,) = found.form.parse(file, AS_IT_COMES)
    assert isinstance(record, Record)
    assert (found.form.name, record.times, record.names) == ("whatsapp", (ends, ends), ("Mary", "Tom"))


def test_times_that_no_clock_or_calendar_has_are_counted() -> None:
    text = "29/02/2021, 14:05 - Mary: hi\n28/02/2021, 25:61 - Tom: hello\n28/02/2021, 14:06 - Tom: you?\n"
    (record,) = whatsapp.parse(FileLines(io.BytesIO(text.encode())))
    assert isinstance(record, Record)
    assert record.times == (None, None, "2021-02-28T14:06:00")
    assert record.tally["times_not_read"] == 2
