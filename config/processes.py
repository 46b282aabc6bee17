"""The command line of every long-running process, in one place: `python -m config.processes web`.

`make`, the demo, the tests and the Docker image all start processes through here.
"""

import os
import sys
from pathlib import Path

from environs import Env

from config import environment

MOST_WEB_PROCESSES = 8


def web(host: str, port: int) -> list[str]:
    """The ASGI server; when it stops, open event streams have three seconds to end.

    One Python process uses one core. WEB_CONCURRENCY, which uvicorn reads, sets their number; without it there is one a
    core with PostgreSQL and one with SQLite.
    """
    address = ["--host", host, "--port", str(port)]
    if "DATABASE_URL" in os.environ and "WEB_CONCURRENCY" not in os.environ:
        address += ["--workers", str(min(os.cpu_count() or 1, MOST_WEB_PROCESSES))]
    return [
        *_module("uvicorn"),
        "config.asgi:application",
        *address,
        *_believed_proxies(),
        "--no-access-log",
        "--timeout-graceful-shutdown=3",
    ]


def _believed_proxies() -> list[str]:
    """Believe only the proxies in TRUSTED_PROXIES about a client's address; by default uvicorn believes any on this
    machine."""
    proxies = os.environ.get("TRUSTED_PROXIES", "")
    return [f"--forwarded-allow-ips={proxies}"] if proxies else ["--no-proxy-headers"]


def worker(concurrency: int = 2) -> list[str]:
    return [*_celery(), "worker", "--pool=prefork", f"--concurrency={concurrency}", "--loglevel=WARNING"]


def beat() -> list[str]:
    schedule = environment.data_dir() / "beat-schedule"
    return [*_celery(), "beat", "--loglevel=WARNING", f"--schedule={schedule}", "--pidfile="]


def demo_model(port: int) -> list[str]:
    return [*manage(), "demo_model", "--port", str(port), "--latency", "0.2", "--jitter", "0.2"]


def manage() -> list[str]:
    return [sys.executable, str(Path(__file__).resolve().parent.parent / "manage.py")]


def _celery() -> list[str]:
    return [*_module("celery"), "--app=config"]


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def main() -> None:
    """Become the named process, so that signals reach it directly."""
    environment.check_or_exit()
    with environment.settings_in_words():
        env = Env()
        commands = {
            "web": web(env.str("HOST", "127.0.0.1"), env.int("PORT", 8000)),
            "worker": worker(env.int("WORKER_CONCURRENCY", 2)),
            "beat": beat(),
        }
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in commands:
        sys.exit(f"usage: python -m config.processes {{{','.join(commands)}}}")
    os.execv(commands[name][0], commands[name])  # noqa: S606 fixed command lines


if __name__ == "__main__":
    main()
