"""Time and memory of reading a large file in each container, beside a plain `json.load`. Run by hand from the checkout:

    python -m tests.benchmarks.read_forms [--megabytes 200]

Each file holds the same kind of dialogues; a process of its own reads it, so that its peak of memory is its own. No
database is used: `tests.benchmarks.import_dialogues` measures a whole import.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dialogues.formats.reading import FileLines
from dialogues.formats.records import AS_IT_COMES, Record
from dialogues.formats.registry import recognised

LINE = "i like to walk my two dogs in the park near the lake before it gets dark , and you ?"
MESSAGES = 15
ROWS_AT_ONCE = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rival", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(loaded(options.read) if options.rival else read(options.read)))
        return
    print(f"{'':<24}{'MB':>6}{'dialogues':>11}{'seconds':>9}{'per second':>12}{'more memory':>13}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, write in WRITERS.items():
            path = Path(folder) / name
            write(path, options.megabytes)
            show(name, path)
            if name == "list.json":
                show("rival: json.load", path, "--rival")
            path.unlink()


def show(name: str, path: Path, *more: str) -> None:
    """Measure in a process of its own; memory is what it took beyond an idle one."""
    command = [sys.executable, "-m", "tests.benchmarks.read_forms", "--read", str(path), *more]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    count, seconds = found["dialogues"], found["seconds"]
    size = path.stat().st_size / 2**20
    print(
        f"{name:<24}{size:>6.0f}{count:>11,}{seconds:>9.1f}{count / seconds:>12,.0f}{found['memory']:>10.0f} MB",
        flush=True,
    )


def read(path: Path) -> dict[str, Any]:
    def records() -> Iterator[Any]:
        with path.open("rb") as stream:
            file = FileLines(stream)
            yield from recognised(file).form.parse(file, AS_IT_COMES)

    return measured(lambda: sum(isinstance(record, Record) for record in records()))


def loaded(path: Path) -> dict[str, Any]:
    def count() -> int:
        with path.open("rb") as stream:
            return sum(1 for value in json.load(stream) if value["messages"])

    return measured(count)


def measured(count: Callable[[], int]) -> dict[str, Any]:
    before, start = peak(), time.perf_counter()
    dialogues = count()
    return {"dialogues": dialogues, "seconds": time.perf_counter() - start, "memory": peak() - before}


def peak() -> float:
    """In MB; on Linux the kernel counts in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def dialogues() -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        number += 1
        roles = ("user", "assistant")
        messages = [{"role": roles[place % 2], "content": f"{LINE} {number} {place}"} for place in range(MESSAGES)]
        yield {"id": f"d{number}", "messages": messages}


def write_list(path: Path, megabytes: int) -> None:
    with path.open("w") as stream:
        stream.write("[")
        for number, value in enumerate(dialogues()):
            stream.write((",\n" if number else "") + json.dumps(value))
            if stream.tell() > megabytes * 2**20:
                break
        stream.write("]")


def write_lines(path: Path, megabytes: int) -> None:
    with path.open("w") as stream:
        for value in dialogues():
            stream.write(json.dumps(value) + "\n")
            if stream.tell() > megabytes * 2**20:
                return


def write_csv(path: Path, megabytes: int) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["dialogue_id", "speaker", "text"])
        for value in dialogues():
            writer.writerows([value["id"], message["role"], message["content"]] for message in value["messages"])
            if stream.tell() > megabytes * 2**20:
                return


def write_parquet(path: Path, megabytes: int) -> None:
    import pyarrow
    from pyarrow import parquet

    made = dialogues()
    schema = pyarrow.Table.from_pylist([next(made)]).schema
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        while not path.exists() or path.stat().st_size < megabytes * 2**20:
            writer.write_table(pyarrow.Table.from_pylist([next(made) for _ in range(ROWS_AT_ONCE)], schema))


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "list.json": write_list,
    "lines.jsonl": write_lines,
    "rows.csv": write_csv,
    "table.parquet": write_parquet,
}

if __name__ == "__main__":
    main()
