"""The fault suite by hand: `python -m tests.faults`. Prints each row's figures; exit code 1 where a promise is broken.

The long form takes about half an hour and starts a Redis and a PostgreSQL of its own. `--short` is what the tests run.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.faults.model_server import running_model
from tests.faults.servers import MissingServerError, private_postgres, private_redis
from tests.faults.site import Report, Site

ROWS = {
    1: ["kills"],
    2: ["visibility"],
    3: ["broker"],
    4: ["database", "rating"],
    5: ["provider"],
    6: ["promises"],
    7: ["chats"],
}


def main() -> int:
    options = _options()
    # Whoever stops this stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with _site(options) as site:
            reports = dict(_reports(site, options))
    except MissingServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.json:
        print(json.dumps({name: _as_json(report) for name, report in reports.items()}, ensure_ascii=False))
    return exit_code(reports.values())


def exit_code(reports: Iterable[Report]) -> int:
    return 1 if any(report.broken for report in reports) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--row", type=int, action="append", choices=ROWS, help="only this row; may be repeated")
    parser.add_argument("--short", action="store_true", help="the small form of each row, under a minute each")
    parser.add_argument("--crash-run", action="store_true", help="only the large run with SIGKILLs on the way")
    parser.add_argument("--dialogues", type=int, default=5457, metavar="N", help="with --crash-run (default: 5457)")
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="with --crash-run (default: 20)")
    parser.add_argument(
        "--keep", action="store_true", help="keep the folder with the workers' log, and say where it is"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout; progress on stderr")
    return parser.parse_args()


@contextmanager
def _site(options: argparse.Namespace) -> Iterator[Site]:
    """Servers of our own, with Django set up on them."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="stephanie-faults-"))
        if not options.keep:
            stack.callback(_remove, folder)
        postgres = stack.enter_context(private_postgres())
        redis = stack.enter_context(private_redis())
        _set_up_django(folder, postgres.url, redis.url)
        say = _saying(sys.stderr if options.json else sys.stdout)
        if options.keep:
            say(f"the workers' log is in {folder}")
        yield Site(postgres.url, redis, postgres, stack.enter_context(running_model()), folder, options.short, say)


def _remove(folder: Path) -> None:
    import_module("shutil").rmtree(folder, ignore_errors=True)


def _set_up_django(folder: Path, database_url: str, redis_url: str) -> None:
    os.environ |= {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENV_FILE": "",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HTTPS": "0",
        "ENDPOINT_ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    import_module("django").setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)


def _saying(stream: Any) -> Any:
    started = time.monotonic()

    def say(words: str) -> None:
        stream.write(f"[{time.monotonic() - started:6.1f} s] {words}\n")
        stream.flush()

    return say


def _reports(site: Site, options: argparse.Namespace) -> Iterator[tuple[str, Report]]:
    if options.crash_run:
        kills = import_module("tests.faults.kills")
        yield "crash run", _told(site, "crash run", kills.crash_run(site, options.dialogues, options.kills))
        return
    for number in options.row or ROWS:
        for part in ROWS[number]:
            name = f"row {number}" if part == ROWS[number][0] else f"row {number}, {part}"
            site.say(f"row {number}: {part}")
            report = import_module(f"tests.faults.{part}").row(site)
            yield name, _told(site, name, report)


def _told(site: Site, name: str, report: Report) -> Report:
    site.say(f"{name}: {report.title}")
    for figure in report.figures:
        verdict = ("kept" if figure.kept else "BROKEN") if figure.promise else ""
        site.say(f"  {figure.name:<44} {_value(figure.value):>32}  {figure.promise:<34} {verdict}".rstrip())
    return report


def _value(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4f}" if 0 < abs(value) < 1 else f"{value:,.2f}".removesuffix(".00")


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "title": report.title,
        "kept": not report.broken,
        "figures": [
            {"name": one.name, "value": one.value, "promise": one.promise, "kept": one.kept} for one in report.figures
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
