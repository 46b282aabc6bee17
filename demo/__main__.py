"""`make demo`: everything on one laptop, with content to look at; Ctrl-C stops all of it."""

import argparse
import sys
from pathlib import Path

from config import launch, processes
from config.supervisor import Supervisor
from demo import environment


def main() -> int:
    options = _options()
    demo = environment.prepare(options.folder.resolve())
    environment.apply(demo)
    return launch.run("make demo", options.port, demo.folder, lambda supervisor: _serve(supervisor, demo, options.port))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=launch.port, default=8000)
    parser.add_argument("--folder", type=Path, default=environment.FOLDER, help="where the demo keeps its data")
    return parser.parse_args()


def _serve(supervisor: Supervisor, demo: environment.Demo, port: int) -> int:
    model_port = launch.free_port_from(port + 1)
    supervisor.start("demo-model", processes.demo_model(model_port))
    if not launch.is_up(supervisor, f"http://127.0.0.1:{model_port}/healthz"):
        return _failed(demo)
    _load_content(demo, model_port)
    address = launch.start_product(supervisor, port)
    if address is None:
        return _failed(demo)
    _announce(address, demo)
    return launch.wait(supervisor, demo.folder)


def _failed(demo: environment.Demo) -> int:
    return launch.fail(f"the demo did not start; see the .log files in {demo.folder}")


def _load_content(demo: environment.Demo, model_port: int) -> None:
    launch.prepare_database()
    from demo import content

    content.load(demo.passwords, f"http://127.0.0.1:{model_port}/v1")


def _announce(address: str, demo: environment.Demo) -> None:
    print(f"\n  Stephanie is at {address}\n\n  Demo accounts (this machine only):")
    for role in environment.ROLES:
        print(f"    {role:<11} password {demo.passwords[role]}")
    print("\n  Ctrl-C stops everything.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
