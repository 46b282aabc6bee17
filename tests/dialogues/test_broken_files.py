"""A hundred broken files: none is a server error, none leaves anything behind, each is told why."""

import gzip
import io
import random
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dialogues.importing import ImportRefusedError
from dialogues.models import Corpus, Dialogue
from tests.dialogues.files import PARLAI, bring_in, line

SPC_HEADER = "user 1 personas,user 2 personas,Best Generated Conversation\r\n"
CSV_HEADER = "dialogue_id,speaker,text\n"


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"0" * 5_000_000)
    return out.getvalue()


def noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(400)


def damaged(seed: int) -> bytes:
    """A good file with one byte put to a value that is never UTF-8."""
    whole = bytearray(PARLAI.encode() + line("x").encode())
    whole[random.Random(seed).randrange(len(whole))] = 0xFF
    return bytes(whole)


WHOLE = {
    "nothing": b"",
    "blank lines": b"\n\r\n \n",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "UTF-16 little": PARLAI.encode("utf-16"),
    "UTF-16 big": b"\xfe\xff" + PARLAI.encode("utf-16-be"),
    "UTF-16 without mark": PARLAI.encode("utf-16-le"),
    "UTF-32": PARLAI.encode("utf-32"),
    "zip": zipped("a.txt"),
    "zip that climbs": zipped("../../etc/passwd"),
    "zip bomb": zipped("bomb"),
    "empty zip": b"PK\x05\x06" + b"\x00" * 18,
    "gzip": gzip.compress(PARLAI.encode()),
    "bzip2": b"BZh91AY&SY" + b"\x00" * 20,
    "xz": b"\xfd7zXZ\x00" + b"\x00" * 20,
    "7z": b"7z\xbc\xaf\x27\x1c" + b"\x00" * 20,
    "zstd": b"\x28\xb5\x2f\xfd" + b"\x00" * 20,
    "PDF": b"%PDF-1.7\n",
    "PNG": b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
    "NULs": b"\x00" * 1000,
    "HTML": b"<!DOCTYPE html><script>alert(1)</script>\n",
    "XML with entities": b'<!DOCTYPE l [<!ENTITY a "aaaa">]><l>&a;</l>\n',
    "a path": b"../../../../etc/passwd\n",
    "a JSON list cut off": b"[" + line().strip().encode() + b",",
    "a JSON list with something behind it": b"[" + line().strip().encode() + b"] x",
    "a JSON list of rows": b'[{"name": "a", "kind": "b"}]',
    "a JSON list of numbers": b"[1, 2]",
    "deep JSON lists": b"[" * 50_000,
    "deep JSON objects": b'[{"a":' * 50_000,
    "Parquet that is cut off": b"PAR1" + b"\x15\x04" * 100,
    "prose": b"Dear all,\nhere are the dialogues.\n",
    "one huge line": b'{"id": "a", "messages": [[1, "' + b"x" * 5_000_000 + b'"]]}',
    "a huge first CSV cell": b'"' + b"x" * 5_000_000 + b'"\n',
    "other columns": b"a,b,c\n1,2,3\n",
    "old Mac line ends": b"1 a\tb\r2 c\td\r\n3\r",
    "header only, CSV": CSV_HEADER.encode(),
    "header only, SPC": SPC_HEADER.encode(),
}
JSONL = {
    "not JSON": "{",
    "cut off": line()[:-20] + "\n",
    "deep lists": '{"id": "a", "messages": ' + "[" * 50_000,
    "deep objects": '{"id": "a", "messages": ' + '{"a":' * 50_000,
    "NaN": '{"id": "a", "messages": [[1, NaN]]}',
    "Infinity": '{"id": "a", "messages": [[Infinity, "x"]]}',
    "a huge number": '{"id": ' + "9" * 5000 + ', "messages": [[1, "x"]]}',
    "an exponent": '{"id": "a", "messages": [[1e999, "x"]]}',
    "a repeated key": '{"id": "a", "id": "b", "messages": [[1, "x"]]}',
    "a repeated id": line("a") + line("a"),
    "no id": '{"messages": [[1, "x"]]}',
    "an empty id": line(""),
    "an id of spaces": line("  "),
    "a long id": line("x" * 300),
    "an id with NUL": line("a\x00"),
    "an id with half a pair": line("\ud83d"),
    "a list as id": line(["a"]),
    "null as id": line(None),
    "a fraction as id": line(1.5),
    "no messages": '{"id": "a"}',
    "null messages": line(messages=None),
    "no message in messages": line(messages=[]),
    "an object as messages": line(messages={"1": "x"}),
    "a text as messages": line(messages="hello"),
    "a number as message": line(messages=[1]),
    "a speaker 0": line(messages=[[0, "x"]]),
    "a speaker 3": line(messages=[[3, "x"]]),
    "a named speaker": line(messages=[["Ann", "x"]]),
    "a true speaker": line(messages=[[True, "x"]]),
    "a null text": line(messages=[[1, None]]),
    "a number as text": line(messages=[[1, 5]]),
    "an empty text": line(messages=[[1, ""]]),
    "a text of spaces": line(messages=[[1, "\t \n"]]),
    "a NUL text": line(messages=[[1, "\x00"]]),
    "half a pair in a text": line(messages=[[1, "\udc00"]]),
    "three parts": line(messages=[[1, "x", "y"]]),
    "one part": line(messages=[[1]]),
    "traits as text": line(traits_1="x"),
    "a null trait": line(traits_1=[None]),
    "a NUL trait": line(traits_2=["\x00"]),
    "a theme of numbers": line(theme=[1]),
    "half a pair in a theme": line(theme="\ud800"),
    "an unknown version": line(version="omega"),
    "a missing origin": line(version="beta", origin="z"),
    "its own origin": line("a", version="beta", origin="a"),
    "a missing parent": line("o") + line("a", version="beta", origin="o", parent="z"),
    "a long writer": line(written_by="x" * 201),
    "demo as text": line(demo="true"),
    "a good one first": line("a") + '{"id": 1}\n',
}
PARLAI_FILES = {
    "a jump in numbers": "1 a\tb\n3 c\td\n",
    "no first line": "1 a\tb\n5 c\td\n",
    "only personas": "1 your persona: i bake .\n",
    "an empty persona": "1 your persona: \n2 a\tb\n",
    "only silence": "1 __SILENCE__\t__SILENCE__\n",
    "an empty reply": "1 a\t\n",
    "an empty partner": "1 \tb\n",
    "many columns": "1 a\tb\tc\td\te\tf\n",
    "a NUL": "1 a\tb\x00\n",
    "a number too long": "1 a\tb\n99999999999999999999 c\td\n",
    "text between": "1 a\tb\nhello\n",
}
CSV_FILES = {
    "an open quote": CSV_HEADER + 'd,A,"x\n',
    "text after a quote": CSV_HEADER + 'd,A,"x"y\n',
    "too few cells": CSV_HEADER + "d,A\n",
    "too many cells": CSV_HEADER + "d,A,x,y\n",
    "three speakers": CSV_HEADER + "d,A,x\nd,B,y\nd,C,z\n",
    "no text": CSV_HEADER + "d,A,\n",
    "an id again behind a broken row": CSV_HEADER + "d,A,x\nbroken\ne,A,y\nd,A,z\n",
    "an order for some": "dialogue_id,speaker,text,order\nd,A,x,1\nd,A,y,\n",
    "traits that differ": "dialogue_id,speaker,text,traits_1\nd,A,x,I bake.\nd,A,y,I swim.\n",
    "an empty SPC conversation": SPC_HEADER + '"a","b",""\r\n',
    "no SPC labels": SPC_HEADER + '"a","b","Hi!\nHello!"\r\n',
    "too few SPC cells": SPC_HEADER + '"a","b"\r\n',
    "an open SPC quote": SPC_HEADER + '"a","b","User 1: Hi!\r\n',
}
OTHER_FORMS = {
    "a group in WhatsApp": "".join(f"31/12/20, 14:05 - {name}: hi\n" for name in ("Ann", "Bob", "Cem")),
    "dates of either order in WhatsApp": "03/04/20, 14:05 - Ann: hi\n",
    "only media in WhatsApp": "31/12/20, 14:05 - Ann: <Media omitted>\n",
    "Telegram cut off": '{"type": "personal_chat", "id": 1, "messages": [{"from_id": "u", "text": "x',
    "no message in Telegram": '{"type": "personal_chat", "id": 1, "messages": [{"type": "service", "from_id": "u"}]}',
    "an episode without end": "text:hi\tlabels:hello\n",
    "a dialogue without an end mark": "Hi __eou__ Hello\n",
    "a circle of replies": '{"id": "a", "conversation_id": "c", "speaker": "s", "text": "x", "reply-to": "b"}\n'
    '{"id": "b", "conversation_id": "c", "speaker": "s", "text": "x", "reply-to": "a"}\n',
    "a list as text": '{"dialogue_id": "d", "speaker": "s", "text": []}\n',
    "too few cells of empathy": "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\na,1\n",
}
TABLE: dict[str, bytes] = {
    **WHOLE,
    **{f"JSONL: {name}": text.encode() for name, text in JSONL.items()},
    **{f"ParlAI: {name}": text.encode() for name, text in PARLAI_FILES.items()},
    **{f"CSV: {name}": text.encode() for name, text in CSV_FILES.items()},
    **{f"other: {name}": text.encode() for name, text in OTHER_FORMS.items()},
    **{f"noise {seed}": noise(seed) for seed in range(5)},
    **{f"damaged byte {seed}": damaged(seed) for seed in range(5)},
    "Latin-1 in ParlAI": "1 café\tb\n".encode("latin-1"),
    "Latin-1 in JSONL": '{"id": "é", "messages": [[1, "x"]]}'.encode("latin-1"),
    "Latin-1 in CSV": (CSV_HEADER + "d,A,é\n").encode("latin-1"),
    "a surrogate in bytes": b"1 a\t\xed\xa0\x80\n",
}


def test_the_table_has_a_hundred_files() -> None:
    assert len(TABLE) >= 100


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLE)
def test_a_broken_file_is_refused_with_a_reason_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        bring_in(tmp_path, TABLE[name])
    assert str(refused.value).endswith((".", ")."))
    assert all(bad.row >= 1 and 0 < len(bad.reason) <= 300 for bad in refused.value.report.bad)
    assert not Corpus.objects.exists()
    assert not Dialogue.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TABLE if name not in WHOLE])
def test_skipping_bad_records_never_imports_one(tmp_path: Path, name: str) -> None:
    try:
        report = bring_in(tmp_path, TABLE[name], skip_bad=True).report
    except ImportRefusedError:
        assert not Corpus.objects.exists()
    else:
        assert report.refused
        assert Dialogue.objects.count() == report.dialogues


@pytest.mark.django_db
def test_no_broken_file_is_a_server_error_in_the_browser(researcher: Client) -> None:
    answers = {}
    for name, content in TABLE.items():
        upload = SimpleUploadedFile("broken.txt", content)
        data = {"file": upload, "file_format": "auto"}
        answers[name] = researcher.post("/corpora/import/", data, follow=True)
    assert {answer.status_code for answer in answers.values()} == {200}
    signs = (b"bad", b"No dialogue can be imported", b"notice--danger", b"Which column is which?")
    told = [name for name, answer in answers.items() if any(sign in answer.content for sign in signs)]
    assert told == list(TABLE)
    assert not Corpus.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1 a\tb\n2 café\td\n".encode("latin-1"), "2: not UTF-8 (byte 0xE9 at character 4); save the file as UTF-8"),
        ((line("a") + line("b")).encode() + b'{"id": "\xff"}\n', "3: not UTF-8 (byte 0xFF at character 9)"),
        ((CSV_HEADER + "d,A,é\n").encode("latin-1"), "2: not UTF-8 (byte 0xE9 at character 1)"),
    ],
)
def test_a_byte_that_is_not_utf8_is_named_with_its_row(tmp_path: Path, content: bytes, expected: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        bring_in(tmp_path, content)
    (bad,) = refused.value.report.bad
    assert f"{bad.row}: {bad.reason}".startswith(expected)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UTF-16 little", "UTF-16"),
        ("zip", "zip archive"),
        ("gzip", "gzip archive"),
        ("one huge line", "Line 1 is longer"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(ImportRefusedError, match=expected):
        bring_in(tmp_path, TABLE[name])


@pytest.mark.django_db
def test_a_byte_order_mark_and_crlf_are_no_fault(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + PARLAI.replace("\n", "\r\n").encode()
    assert bring_in(tmp_path, content).corpus.dialogues.get().messages[1] == [2, "hi , how are you ?"]
