"""How fast a ParlAI file becomes a corpus. Run by hand from the checkout:

    python -m tests.benchmarks.import_dialogues [--dialogues 20000] [--file FILE]

Uses the database that DATABASE_URL names (it must be migrated) and removes what it made. The rival is one
`save()` a dialogue, in one transaction.
"""

import argparse
import os
import resource
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection, transaction

from dialogues.formats import parlai
from dialogues.formats.reading import text_lines
from dialogues.formats.records import Record
from dialogues.importing import Source, import_file, preview
from dialogues.models import Corpus, Dialogue

REAL_FILE = Path(__file__).resolve().parents[3] / "shared/data/personachat/valid_both_original_no_cands.txt"
RIVAL_ROWS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=20_000)
    parser.add_argument("--file", type=Path, default=REAL_FILE, help="a ParlAI file, repeated until there are enough")
    options = parser.parse_args()
    print(f"{connection.vendor}, {options.dialogues:,} dialogues from {options.file.name}")
    print(f"{'':<28}{'dialogues':>10}{'seconds':>9}{'per second':>12}{'more memory':>13}")
    with tempfile.TemporaryDirectory() as folder:
        path = repeated(options.file, options.dialogues, Path(folder))
        measure("read only (preview)", options.dialogues, lambda: preview(Source(path, path.name)))
        measure("import_file", options.dialogues, lambda: import_file(Source(path, path.name), name=name(), by=None))
        measure("rival: save() a row", RIVAL_ROWS, lambda: save_one_by_one(path, RIVAL_ROWS))
    Corpus.objects.filter(name__startswith="benchmark ").delete()


def name() -> str:
    return f"benchmark {uuid.uuid4()}"


def repeated(source: Path, dialogues: int, folder: Path) -> Path:
    """The file's dialogues over and over; their ids are their places, so each is new. A comment makes no line."""
    path = folder / "repeated.txt"
    whole = source.read_text()
    count = len(starts(whole))
    with path.open("w") as stream:
        for _ in range(dialogues // count):
            stream.write(whole)
        rest = starts(whole)[dialogues % count]
        stream.write(whole[:rest])
        # A blank line more or less is no dialogue, but another file: a second benchmark is not refused.
        stream.write("\n" * (int.from_bytes(os.urandom(2), "big") % 5000))
    return path


def starts(text: str) -> list[int]:
    return [0] + [at + 1 for at in range(len(text)) if text.startswith("\n1 ", at)]


def measure(what: str, dialogues: int, act: Callable[[], object]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    act()
    took = time.perf_counter() - began
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{what:<28}{dialogues:>10,}{took:>9.2f}{dialogues / took:>12,.0f}{more:>10,.0f} MB")


def records(path: Path) -> Iterator[Record]:
    with path.open("rb") as stream:
        yield from (item for item in parlai.parse(text_lines(stream)) if isinstance(item, Record))


def save_one_by_one(path: Path, rows: int) -> None:
    with transaction.atomic():
        corpus = Corpus.objects.create(name=name())
        for record, _ in zip(records(path), range(rows), strict=False):
            Dialogue.from_transcript(
                record.transcript,
                corpus=corpus,
                key=record.key,
                version_id=record.version,
                traits_1=list(record.traits_1),
                traits_2=list(record.traits_2),
            ).save()


if __name__ == "__main__":
    main()
