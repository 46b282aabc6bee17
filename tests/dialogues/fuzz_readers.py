"""Mutate a valid file of each form and read what comes out: nothing but the readers' own errors may be raised.

By hand from the checkout; it ends with the first input that breaks a reader, and keeps that file:

    python -m tests.dialogues.fuzz_readers [--form whatsapp …] [--minutes 10] [--seed 1]
"""

import argparse
import io
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from dialogues.formats.reading import ISOLATED, FileLines, UnreadableFileError
from dialogues.formats.records import BadRecord, Choices, Record
from dialogues.formats.registry import FORMATS, recognised

# What means something to a reader, dropped into files at random.
TOKENS = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\t", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"\xe2\x80\x8e", b"\xe2\x80\xaf", b"\\ud800", b"null", b"true", b"NaN", b"-1e999", b"9" * 40,
    b"__eou__", b"_comma_", b"__SILENCE__", b"episode_done:True", b"labels:", b"text:", b"1 ", b"your persona: ",
    b"User 1: ", b"31/12/20, 14:05 - ", b"[15-01-20 02:22:56] ", b"<Media omitted>", b"PAR1", b" " * 200, b"(" * 200,
)  # fmt: skip
CHOICES = (
    Choices(),
    Choices(people=("A", "B")),
    Choices(silence_hours=1.0, date_order="mdy"),
    Choices(columns={"dialogue_id": "id", "speaker": "from", "text": "value"}),
    Choices(columns={"messages": "messages", "speaker": "role", "text": "content"}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", nargs="+", choices=list(FORMATS), default=list(FORMATS))
    parser.add_argument("--minutes", type=float, default=10, help="of each form (10)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for form in options.form:
        found = fuzzed(form, options.minutes * 60, random.Random(options.seed))
        read_as = f"{found['records']:,} dialogues, {found['bad']:,} bad records, {found['refused']:,} files refused"
        print(f"{form:<16}{found['inputs']:>9,} inputs: {read_as}; longest {found['slowest_ms']} ms", flush=True)


def fuzzed(form: str, seconds: float, rng: random.Random) -> Counter[str]:
    pool = [seed() for seed in SEEDS[form]]
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        content = mutated(rng.choice(pool), rng)
        began = time.monotonic()
        try:
            is_good = read(content, rng.choice([form, "auto"]), rng.choice(CHOICES), counts)
        except BaseException:
            path = Path(f"broke-{form}.bin").resolve()
            path.write_bytes(content)
            print(f"{form}: {path} broke the reader.", file=sys.stderr)
            raise
        counts["slowest_ms"] = max(counts["slowest_ms"], round(1000 * (time.monotonic() - began)))
        # What still holds dialogues is worth mutating further.
        if is_good and len(content) < 20_000:
            pool = [*pool[-40:], content]
    return counts


def read(content: bytes, name: str, choices: Choices, counts: Counter[str]) -> bool:
    """Whether a dialogue was read; raises whatever a reader must not raise."""
    counts["inputs"] += 1
    file = FileLines(io.BytesIO(content))
    is_good, said = False, ""
    try:
        for item in recognised(file, name, choices).form.parse(file, choices):
            assert isinstance(item, Record | BadRecord), item
            counts["records" if isinstance(item, Record) else "bad"] += 1
            is_good = is_good or isinstance(item, Record)
            if isinstance(item, BadRecord):
                assert is_printable(item.reason), item.reason
    except UnreadableFileError as error:
        said = str(error)
        counts["refused"] += 1
    assert is_printable(said), said
    return is_good


def is_printable(text: str) -> bool:
    """Apart from the marks around names that are written from right to left."""
    return all(letter.isprintable() or letter in ISOLATED for letter in text)


def mutated(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64))
        act = rng.randrange(6)
        if act == 0:
            data[place:place] = rng.choice(TOKENS)
        elif act == 1:
            del data[place : place + length]
        elif act == 2:
            data[place:place] = data[place : place + length] * rng.choice((1, 2, 50))
        elif act == 3 and place < len(data):
            data[place] = rng.randrange(256)
        elif act == 4:
            other = rng.randrange(len(data) + 1)
            data[place:place] = data[other : other + length]
        else:
            data[place : place + length] = rng.choice(TOKENS)
    return bytes(data[: rng.randrange(len(data) + 1)]) if rng.random() < 0.1 else bytes(data)


def lines(*values: object) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def parquet(*rows: dict[str, object]) -> bytes:
    import pyarrow
    from pyarrow import parquet as written

    sink = io.BytesIO()
    written.write_table(pyarrow.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()


USER, MODEL = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "text", "text": "Yes"}]}
VOLUNTEERS = {
    "dialog_id": "1",
    "bot_profile": ["I bake."],
    "user_profile": ["I swim."],
    "dialog": [{"id": 0, "sender": "participant1", "sender_class": "Bot", "text": "Hi", "evaluation_score": 1}],
}
SESSIONS = {
    "speaker_a": "Ann",
    "speaker_b": "Bob",
    "session_1_date_time": "1:56 pm on 8 May, 2023",
    "session_1": [{"speaker": "Ann", "dia_id": "D1:1", "text": "Hi"}],
}
BATTLE = {"question_id": "q", "model_a": "x", "model_b": "y", "conversation_a": [USER], "conversation_b": [USER]}
NAMED = {"d1": {"content": [{"agent": "a", "message": "Hi"}]}, "d2": {"content": [{"agent": "b", "message": "Yes"}]}}
SHARED = {"id": "a", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}]}
UTTERANCES = (
    {"id": "1", "conversation_id": "1", "speaker": "a", "text": "Hi", "reply-to": None, "timestamp": 1},
    {"id": "2", "conversation_id": "1", "speaker": "b", "text": "Yes", "reply-to": "1", "timestamp": 2},
)
PARTS = ["see ", {"type": "link", "text": "x.org"}]
SENT = {"id": 1, "type": "message", "date": "2024-01-01T10:00:00", "from": "Ann", "from_id": "user1", "text": PARTS}
ROW = {"dialogue_id": "a", "speaker": "x", "text": "Hi"}
SEEDS: dict[str, list[Callable[[], bytes]]] = {
    "jsonl": [lambda: lines({"id": "a", "messages": [[1, "Hi"], [2, "Hello"]], "traits_1": ["I bake."]})],
    "openai": [lambda: lines({"messages": [USER, MODEL]})],
    "sharegpt": [lambda: lines([SHARED])],
    "lmsys": [lambda: lines(BATTLE)],
    "convai2": [lambda: lines([VOLUNTEERS])],
    "locomo": [lambda: lines([{"sample_id": "s", "conversation": SESSIONS}])],
    "chat-json": [lambda: lines(NAMED), lambda: parquet({"id": "a", "dialog": [ROW, ROW]})],
    "convokit": [lambda: lines(*UTTERANCES)],
    "rows": [lambda: lines(ROW, ROW), lambda: parquet(ROW, ROW)],
    "telegram": [lambda: lines({"name": "Ann", "type": "personal_chat", "id": 7, "messages": [SENT]})],
    "whatsapp": [
        lambda: b"31/12/20, 14:05 - Ann: hi\nmore\n31/12/20, 14:06 - Bob: <Media omitted>\n01/01/21, 09:00 - Bob: yes\n"
    ],
    "spc": [
        lambda: (
            b"user 1 personas,user 2 personas,Best Generated Conversation\r\n"
            b'"I bake.","I swim.","User 1: Hi\nUser 2: Yes"\r\n'
        )
    ],
    "parlai-fields": [lambda: b"text:hi\tlabels:yes|no\tepisode_done:False\ntext:bye\tlabels:bye\tepisode_done:True\n"],
    "dailydialog": [lambda: b"Hi . __eou__ Yes . __eou__\nOne __eou__ Two __eou__ Three __eou__\n"],
    "empathetic": [
        lambda: (
            b"conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
            b"c,1,sad,It_comma_ was,1,Hi,5,\nc,2,sad,It_comma_ was,0,Oh,5,\n"
        )
    ],
    "parlai": [lambda: b"1 your persona: i bake .\n2 hi\tyes\n3 bye\tbye\n1 x\ty\n"],
    "csv": [lambda: b'dialogue_id,speaker,text,time\nd,A,"Hi, you",2024-01-01T10:00\nd,B,Yes,\ne,A,x,\nd,A,late,\n'],
}

if __name__ == "__main__":
    main()
