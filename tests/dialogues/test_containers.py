"""What contains the objects of a JSON or Parquet file, and that no file is read short."""

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import containers, parquet_process, parquet_reader
from dialogues.formats.containers import Item, head_of, objects_of
from dialogues.formats.reading import HEAD, PIECE, FileLines, UnreadableFileError
from dialogues.formats.records import BadRecord
from tests.dialogues.files import write
from tests.dialogues.reading import in_memory, parquet
from tests.examples import many

ROOT = Path(__file__).resolve().parents[2]
ONE = {"id": "a", "messages": [[1, "Hello"], [2, "Hi!"]]}
TWO = {"id": "b", "messages": [[1, "How are you?"]]}
CHAT = {"content": [{"agent": "x", "message": "Hello"}]}
CONTAINED = {
    containers.LINES: (json.dumps(ONE) + "\n\n" + json.dumps(TWO) + "\n", [(1, ""), (3, "")]),
    containers.LIST: (json.dumps([ONE, TWO]), [(1, ""), (2, "")]),
    containers.WRAPPED: (json.dumps({"version": 1.0, "train": [ONE], "test": [TWO]}), [(1, ""), (2, "")]),
    containers.SPREAD: (json.dumps(ONE, indent=1) + "\n" + json.dumps(TWO, indent=1), [(1, ""), (2, "")]),
    containers.PARQUET: (
        parquet([{"id": "a", "messages": ["Hello", "Hi!"]}, {"id": "b", "messages": ["How are you?"]}]),
        [(1, ""), (2, "")],
    ),
}


def objects(content: str | bytes) -> list[Item | BadRecord]:
    return list(objects_of(in_memory(content)))


def values(content: str | bytes) -> list[Any]:
    return [item.value if isinstance(item, Item) else item.reason for item in objects(content)]


@pytest.mark.parametrize("container", CONTAINED)
def test_objects_come_one_after_another_with_their_place(container: str) -> None:
    content, places = CONTAINED[container]
    found = objects(content)
    assert [(item.row, item.name) for item in found if isinstance(item, Item)] == places
    assert [item.value["id"] for item in found if isinstance(item, Item)] == ["a", "b"]
    head = head_of(in_memory(content))
    assert head.container == container
    assert head.objects[0]["id"] == "a"


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_an_object_of_objects_gives_each_its_name(indent: int | None) -> None:
    content = json.dumps({"t_1": {"url": "x", **CHAT}, "t_2": {"content": []}}, indent=indent)
    assert [(item.row, item.name) for item in objects(content) if isinstance(item, Item)] == [(1, "t_1"), (2, "t_2")]
    assert head_of(in_memory(content)).container == containers.NAMED


def test_lists_of_messages_under_names_are_the_messages_of_objects() -> None:
    content = json.dumps({"c1": [{"role": "user", "content": "Hi"}], "c2": []})
    assert values(content) == [{"messages": [{"role": "user", "content": "Hi"}]}, {"messages": []}]
    assert values('[["Hi", "Hello"], ["Oh"]]') == [{"messages": ["Hi", "Hello"]}, {"messages": ["Oh"]}]


def test_every_list_of_dialogues_in_a_wrapper_is_read_and_the_rest_is_passed_over() -> None:
    content = {"about": "x", "labels": ["a"], "chats": {"about": "y", "list": [ONE, TWO]}, "left": {"list": [ONE]}}
    assert values(json.dumps(content)) == [ONE, TWO, ONE]


@pytest.mark.parametrize(
    "value",
    [
        ONE,
        CHAT,
        {"meta": {"topic": "x"}, "messages": [{"role": "user", "content": "Hi"}]},
        {"dialogues": [{"speaker": "a", "text": "Hi"}], "personas": [["a", "b"], ["c", "d"]]} | {"dialogues": []},
        {"personas": [["i bake.", "i swim."], ["i run."]], "dialog": [[0, "hi"], [1, "ho"]]},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_one_object_can_be_one_dialogue(value: object, indent: int | None) -> None:
    assert values(json.dumps(value, indent=indent)) == [value]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"a": 1, "a": 2}', "a key appears twice in one object"),
        ('{"a": [{"b": 1, "b": 2}]}', "a key appears twice in one object"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON: Exceeds the limit"),
        ('{"a": "\udcff"}', "not UTF-8 (byte 0xFF"),
        ("7", "expected "),
        ('"text"', "expected "),
        ("null", "expected "),
    ],
)
def test_an_object_that_is_not_strictly_json_is_bad_and_those_beside_it_are_not(broken: str, reason: str) -> None:
    parts = [json.dumps(ONE), broken, json.dumps(TWO)]
    for content in (f"[{', '.join(parts)}]", "\n".join(parts)):
        first, second, third = values(content.encode("utf-8", "surrogateescape"))
        assert (first, third) == (ONE, TWO)
        assert second.startswith(reason)


def test_half_a_surrogate_pair_and_nul_stay_what_they_are_for_the_reader_to_refuse() -> None:
    assert values('[{"a": "\\ud83d"}, {"a": "\\u0000"}, {"a": "\\ud83d\\ude00"}]') == [
        {"a": "\ud83d"},
        {"a": "\0"},
        {"a": "😀"},
    ]


@pytest.mark.parametrize("container", [containers.LIST, containers.WRAPPED, containers.PARQUET])
def test_a_file_cut_off_anywhere_is_refused_or_reported(container: str) -> None:
    """A beginning that could be anything is taken for a line, which is no JSON."""
    content = CONTAINED[container][0]
    whole = content.encode() if isinstance(content, str) else content
    for end in range(1, len(whole)):
        try:
            assert all(isinstance(item, BadRecord) for item in objects(whole[:end])), whole[:end]
        except UnreadableFileError:
            continue


def test_objects_over_many_lines_or_one_a_line_are_never_read_short() -> None:
    """Where such a file is cut between two objects, nothing can tell."""
    for container in (containers.LINES, containers.SPREAD):
        whole = str(CONTAINED[container][0]).strip()
        for end in range(2, len(whole)):
            try:
                found = values(whole[:end])
            except UnreadableFileError:
                continue
            assert found == [ONE] or any(isinstance(item, str) for item in found), whole[:end]


@pytest.mark.parametrize("behind", ["x", "[", "]", "{}", ",", '{"a": 1}'])
def test_what_follows_the_end_is_refused(behind: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"Something follows the end of the JSON"):
        objects(json.dumps([ONE]) + " \n" + behind)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"a": 1} {"b": 2}]', "Dialogue 1 stops being JSON: “,” is missing before “{”"),
        ('[{"a": 1} \0', "“,” is missing before “\ufffd”"),
        ('[{"a": 1}, {"b" 2}]', "Dialogue 2 ends in the middle, or stops being JSON"),
        ('[{"a": 1},]', "Dialogue 2 ends in the middle, or stops being JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('[{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_place(content: str, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words.replace("(", r"\(")):
        objects(content)


class Endless(io.RawIOBase):
    """A file that begins so and then repeats itself for 200 MB."""

    def __init__(self, begins: bytes, again: bytes, size: int = 200 * 2**20) -> None:
        self.begins, self.again, self.size, self.at = begins, again * (PIECE // len(again)), size, 0

    def seek(self, place: int, whence: int = 0) -> int:
        self.at = place
        return place

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)

    def read(self, size: int = -1) -> bytes:
        if self.at < len(self.begins):
            found = self.begins[self.at : self.at + size]
        else:
            found = self.again[:size] if self.at < self.size else b""
        self.at += len(found)
        return found


ENDLESS = [
    (b'[{"messages": [', b'[1, "x"], '),
    (b'[{"messages": "', b"x"),
    (b'[{"messages": [', b"{},"),
    (b'[{"a": {"b": [', b"[],"),
    (b'{"a": {"content": [{"text": "', b"x"),
    (b'{"messages": "', b"x"),
    (b'[{"a": 1}, 1', b"1"),
]
PEAK = """
import re, sys
from pathlib import Path
from dialogues.formats.containers import objects_of
from dialogues.formats.reading import FileLines, UnreadableFileError
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
with open(sys.argv[1], "rb") as stream:
    try:
        list(objects_of(FileLines(stream)))
    except UnreadableFileError:
        print(peak() - before)
"""


@pytest.mark.parametrize(("begins", "again"), ENDLESS)
def test_an_endless_object_is_refused_with_the_limit(begins: bytes, again: bytes) -> None:
    with pytest.raises(UnreadableFileError, match=r"4 million characters.*at most 5,000 messages"):
        list(objects_of(FileLines(Endless(begins, again))))  # type: ignore[arg-type]


@pytest.mark.parametrize(("begins", "again"), ENDLESS[:5])
def test_of_an_endless_object_little_is_kept(tmp_path: Path, begins: bytes, again: bytes) -> None:
    path = write(tmp_path, begins + again * (24 * 2**20 // len(again)))
    done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, check=True, cwd=ROOT, text=True)
    assert int(done.stdout) < 200, done.stdout


def test_white_space_without_end_is_read_past_in_flat_memory() -> None:
    with pytest.raises(UnreadableFileError):
        list(objects_of(FileLines(Endless(b'[{"a": 1}', b" ", 20 * 2**20))))  # type: ignore[arg-type]


@pytest.mark.parametrize("begins", [b"[", b'{"train": ['])
def test_no_more_of_a_list_than_its_beginning_is_read_to_recognise_it(begins: bytes) -> None:
    stream = Endless(begins, json.dumps(ONE).encode() + b",")
    assert len(head_of(FileLines(stream)).objects) == 20  # type: ignore[arg-type]
    assert stream.at <= HEAD + PIECE


def test_of_one_long_object_the_beginning_is_shown() -> None:
    stream = Endless(b'{\n"name": "x",\n"messages": [', b'{"from": "a", "text": "b"},')
    head = head_of(FileLines(stream))  # type: ignore[arg-type]
    assert head.container == containers.SPREAD
    assert head.objects[0]["messages"][0] == {"from": "a", "text": "b"}
    assert stream.at < 10 * HEAD


def test_a_parquet_file_with_rows_too_large_for_dialogues_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="64 MB"):
        objects(parquet([{"picture": bytes(40 * 2**20)}] * 2))


def test_times_and_bytes_of_parquet_become_text() -> None:
    from datetime import UTC, datetime
    from decimal import Decimal

    row = {"messages": [{"at": datetime(2024, 5, 1, 10, tzinfo=UTC), "cost": Decimal("1.50"), "raw": b"x"}]}
    (found,) = values(parquet([row]))
    assert found == {"messages": [{"at": "2024-05-01T10:00:00+00:00", "cost": "1.50", "raw": "b'x'"}]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5), st.sampled_from([None, 0, 3]), st.booleans())
@settings(max_examples=many(500), deadline=None)
def test_any_list_of_objects_is_read_as_json_reads_it(
    written: list[dict[str, Any]], indent: int | None, is_ascii: bool
) -> None:
    content = json.dumps(written, indent=indent, ensure_ascii=is_ascii)
    assert values(content.encode("utf-8", "surrogatepass") if is_ascii else _sound(content)) == json.loads(
        content if is_ascii else _sound(content)
    )


def _sound(content: str) -> str:
    return content.encode("utf-8", "replace").decode()


@given(st.binary(max_size=400) | st.text(alphabet='[]{}":,\\u01ae \n', max_size=200).map(str.encode))
@settings(max_examples=many(1_000), deadline=None)
def test_no_bytes_are_more_than_refused(content: bytes) -> None:
    for begins in (b"", b"[", b'{"a": ', b"PAR1"):
        try:
            found: Iterator[Item | BadRecord] = objects_of(in_memory(begins + content))
            assert all(isinstance(item, (Item, BadRecord)) for item in found)
            head_of(in_memory(begins + content))
        except UnreadableFileError:
            pass


def test_a_parquet_file_that_unpacks_to_far_more_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parquet_reader, "LONG_GROUP", 2**20)
    with pytest.raises(UnreadableFileError, match="unpacks to more than 50 times its size"):
        list(parquet_reader.rows_of(io.BytesIO(parquet([{"text": "x" * 2 * 2**20}], compression="zstd"))))


TABLE = [{"id": str(number), "said": 'Hi "you"\r\u2028\n مريم', "n": None} for number in range(200)]


def test_rows_of_parquet_come_out_of_the_other_process_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, parquet(TABLE), "table.parquet")
    with path.open("rb") as stream:
        assert list(parquet_process.parquet_rows(stream)) == TABLE
        assert stream.tell() > 0
    assert list(parquet_process.parquet_rows(io.BytesIO(parquet(TABLE)))) == TABLE


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "import os; print('{}', flush=True); os.abort()",
        "import os; print('{\"id\":', end='', flush=True); os.abort()",
        "import sys; print('{}'); sys.exit(1)",
    ],
)
def test_a_reader_that_dies_means_a_damaged_file(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_process, "_command", lambda _: [sys.executable, "-c", program])
    with pytest.raises(UnreadableFileError, match=r"^The Parquet file is damaged: .* Get it whole"):
        list(parquet_process.parquet_rows(io.BytesIO(parquet(TABLE))))


def test_a_reader_that_nobody_reads_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "import os, time; print('{\"pid\": %s}' % os.getpid(), flush=True); time.sleep(3600)"
    monkeypatch.setattr(parquet_process, "_command", lambda _: [sys.executable, "-c", endless])
    rows = parquet_process.parquet_rows(io.BytesIO(parquet(TABLE)))
    pid = next(rows)["pid"]
    rows.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_parquet_file_is_refused_or_whole(seed: int) -> None:
    rows = [{"id": str(number), "messages": [f"Hi {number}", "Hello"]} for number in range(40)]
    whole, dice = parquet(rows), random.Random(seed)
    for _ in range(many(1_000)):
        content = bytearray(whole)
        content[dice.randrange(len(content))] = dice.randrange(256)
        with suppress(UnreadableFileError):
            # In this process, as starting another one a thousand times takes minutes.
            assert len(list(parquet_reader.rows_of(io.BytesIO(content)))) == len(rows)


def test_a_wrapper_whose_lists_begin_late_is_read_whole() -> None:
    """Recognising it reads the file from its beginning twice, and neither must disturb the other."""
    content = {"about": {"words": "x" * 3 * PIECE}, "note": "y" * PIECE, "train": [ONE, TWO] * 3_000}
    assert values(json.dumps(content)) == [ONE, TWO] * 3_000
    named = {f"t_{number}": {"url": "x" * 500, **CHAT} for number in range(3_000)}
    assert len(values(json.dumps(named))) == 3_000
