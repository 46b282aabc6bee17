"""A program with the command line of the trainer that writes the events of one, without training.

It stands in where a test has no environment for fine-tuning. STAND_IN names what it does: `finish`, `wait` (until it is
asked to stop), `refuse`, `crash`; of a finished training, `check` or `stop`.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

CHECKS = {
    "check": {"kind": "checked", "rows": [{"who": "tuned", "n": 7}]},
    "stop": {"kind": "notice", "text": "The check was stopped."},
}
AT = "2026-11-30T02:00:00+00:00"


class Log:
    def __init__(self, out: Path) -> None:
        self.path = out / "events.jsonl"
        self.path.touch()
        self.number = len(self.path.read_text().splitlines())

    def tell(self, kind: str, **payload: object) -> None:
        self.number += 1
        with self.path.open("a") as file:
            file.write(json.dumps({"number": self.number, "at": AT, "kind": kind, **payload}) + "\n")


def main() -> int:
    print("loading")
    how, given = os.environ["STAND_IN"], sys.argv[1:]
    if given[0] == "-m":
        given = given[2:]
    out = Path(given[given.index("--out") + 1])
    out.mkdir(exist_ok=True)
    (out / "given.json").write_text(json.dumps(given))
    manifest = json.loads((Path(given[0]) / "manifest.json").read_text())
    if how == "refuse":
        print("There is no model nowhere/at-all. Name one on a hub, or a folder.", file=sys.stderr)
        return 2
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    (out / "choices.json").write_text("{}")
    log = Log(out)
    if how in CHECKS:
        log.tell(**CHECKS[how])
        return 3 if how == "stop" else 0
    log.tell("started", steps=3, parameters={"rank": 16}, environment={}, data_sha256=manifest["sha256"])
    for step in (1, 2, 3):
        log.tell("step", step=step, epoch=step / 3, loss=3.0 / step, seconds_left=3.0 - step)
        if how == "crash":
            os._exit(9)
        while how == "wait" and not stopped:
            time.sleep(0.05)
        if stopped:
            log.tell("stopped", step=step)
            return 3
    log.tell("finished", seconds=1.0, steps=3, folder=str(out / "model"), is_adapter=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
