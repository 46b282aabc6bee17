"""Time and memory of the statistics of a large corpus, beside plain Python sets.

Run by hand: python -m tests.benchmarks.statistics [--dialogues 21828] [--words 5000000]

Each method runs in a process of its own on the same made-up text (Zipf's law over 50,000 words, 12 words a message),
so that peak memory is its own. The text comes from a file, and reading it is not in the time, as in the time of the
figures proper it would come from the database; peak memory counts everything.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from dialogues.statistics.distinct import SIZES, distinct, encode
from dialogues.statistics.words_and_turns import acmc, run_shares

METHODS = ("hashed", "sets")


def write_text(path: Path, dialogues: int, words: int) -> None:
    random = np.random.default_rng(1)
    weights = 1 / np.arange(1, 50_001)
    vocabulary = np.array([f"w{number}" for number in range(50_000)])
    per_dialogue = words // dialogues
    with path.open("w") as file:
        for _ in range(dialogues):
            drawn = vocabulary[random.choice(50_000, per_dialogue, p=weights / weights.sum())]
            messages = [" ".join(part) for part in np.array_split(drawn, max(1, per_dialogue // 12))]
            speakers = 1 + random.integers(0, 2, len(messages))
            file.write(json.dumps(list(zip(speakers.tolist(), messages, strict=True))) + "\n")


def read(path: Path) -> Iterator[list[tuple[int, str]]]:
    with path.open() as file:
        yield from map(json.loads, file)


def counts(dialogues: list[list[tuple[int, str]]]) -> dict[str, object]:
    """Everything but Distinct-N, as an import counts it."""
    runs = [len(list(run)) for messages in dialogues for _, run in groupby(messages, key=lambda pair: pair[0])]
    words = sum(len(text.split()) for messages in dialogues for _, text in messages)
    messages = sum(map(len, dialogues))
    by_length = [runs.count(length) for length in range(1, 6)]
    shares = run_shares([*by_length, len(runs) - sum(by_length)])
    return {"words/message": words / messages, "acmc": acmc(messages, len(runs)), "consecutive": shares}


def hashed(dialogues: list[list[tuple[int, str]]]) -> dict[str, object]:
    found = distinct(encode(([text for _, text in messages] for messages in dialogues), "whitespace"))
    return {str(size): (value.pooled, value.mean.value if value.mean else None) for size, value in found.items()}


def sets(dialogues: list[list[tuple[int, str]]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for size in SIZES:
        pooled: set[tuple[str, ...]] = set()
        total, ratios = 0, []
        for messages in dialogues:
            grams: list[tuple[str, ...]] = []
            for _, text in messages:
                tokens = text.split()
                grams += zip(*(tokens[place:] for place in range(size)), strict=False)
            if grams:
                own = set(grams)
                ratios.append(len(own) / len(grams))
                pooled |= own
                total += len(grams)
        found[str(size)] = (len(pooled) / total, sum(ratios) / len(ratios))
    return found


def measure(method: str, path: Path) -> None:
    """One method in this process; prints one JSON object."""
    dialogues = list(read(path))
    text_mb = peak_mb()
    started, started_cpu = time.perf_counter(), time.process_time()
    result = counts(dialogues) | {"distinct": globals()[method](dialogues)}
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    outcome = {"seconds": seconds, "cpu": cpu, "peak_mb": peak_mb(), "text_mb": text_mb, "result": result}
    print(json.dumps(outcome))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare(dialogues: int, words: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.jsonl"
        write_text(path, dialogues, words)
        outcomes = {}
        for method in METHODS:
            command = [sys.executable, "-m", "tests.benchmarks.statistics", "--method", method, "--text", str(path)]
            outcomes[method] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"{dialogues:,} dialogues, {words:,} words, Distinct-2…6 pooled and mean, and every count")
    print(f"{'method':<8}{'wall s':>8}{'CPU s':>8}{'ratio':>7}{'peak MB':>9}{'ratio':>7}  of it the text")
    base = outcomes["hashed"]
    for method, outcome in outcomes.items():
        print(
            f"{method:<8}{outcome['seconds']:>8.2f}{outcome['cpu']:>8.2f}{outcome['cpu'] / base['cpu']:>7.1f}"
            f"{outcome['peak_mb']:>9.0f}{outcome['peak_mb'] / base['peak_mb']:>7.1f}  {outcome['text_mb']:.0f} MB"
        )
    print("same figures:", same(outcomes["hashed"]["result"], outcomes["sets"]["result"]))


def same(one: object, other: object) -> bool:
    """Equal to 10 digits: the order of a float sum differs."""
    return json.dumps(rounded(one)) == json.dumps(rounded(other))


def rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 10) if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=21_828)
    parser.add_argument("--words", type=int, default=5_000_000)
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--text", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.method:
        measure(options.method, options.text)
    else:
        compare(options.dialogues, options.words)


if __name__ == "__main__":
    main()
