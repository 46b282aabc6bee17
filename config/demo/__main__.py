"""`make demo`: everything on one laptop, with content to look at; Ctrl-C stops all of it."""

import argparse
import sys
from pathlib import Path

from config import processes
from config.demo import environment, ports
from config.demo.supervisor import StopRequest, Supervisor

START_SECONDS = 60.0


def main() -> int:
    options = _options()
    if not ports.is_free(options.port):
        free = ports.near(options.port + 1)
        print(f"stephanie: port {options.port} is taken; choose another: make demo PORT={free}", file=sys.stderr)
        return 1
    demo = environment.prepare(options.folder.resolve())
    environment.apply(demo)
    try:
        with Supervisor(demo.folder) as supervisor:
            return _serve(supervisor, demo, options.port)
    except StopRequest:
        print("\nStopped. Everything is kept in", demo.folder)
        return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help="where the demo keeps its data")
    return parser.parse_args()


def _port(text: str) -> int:
    """A port that an ordinary user may open, with room above it for the demo model's."""
    if not text.isdecimal() or not 1024 <= int(text) <= 65000:
        raise argparse.ArgumentTypeError(f"{text} is no port from 1024 to 65000; try make demo PORT=8000")
    return int(text)


def _serve(supervisor: Supervisor, demo: environment.Demo, port: int) -> int:
    model_port = ports.near(port + 1)
    supervisor.start("demo-model", processes.demo_model(model_port))
    if not _up(supervisor, f"http://127.0.0.1:{model_port}/healthz"):
        return _failed(demo)
    _load_content(demo, model_port)
    supervisor.start("web", processes.web("127.0.0.1", port))
    supervisor.start("worker", processes.worker())
    supervisor.start("beat", processes.beat())
    address = f"http://127.0.0.1:{port}/"
    if not _up(supervisor, f"{address}healthz"):
        return _failed(demo)
    _announce(address, demo)
    name = supervisor.wait()
    print(f"stephanie: {name} ended by itself; see {demo.folder / name}.log", file=sys.stderr)
    return 1


def _up(supervisor: Supervisor, url: str) -> bool:
    return ports.wait_until_up(url, seconds=START_SECONDS, given_up=lambda: supervisor.ended() is not None)


def _failed(demo: environment.Demo) -> int:
    print(f"stephanie: the demo did not start; see the .log files in {demo.folder}", file=sys.stderr)
    return 1


def _load_content(demo: environment.Demo, model_port: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from config.demo import content

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    content.load(demo.passwords, f"http://127.0.0.1:{model_port}/v1")


def _announce(address: str, demo: environment.Demo) -> None:
    print(f"\n  Stephanie is at {address}\n\n  Demo accounts (this machine only):")
    for role in environment.ROLES:
        print(f"    {role:<11} password {demo.passwords[role]}")
    print("\n  Ctrl-C stops everything.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
