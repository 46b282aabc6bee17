"""What every program of this package can be asked."""

import argparse
import os


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """`doc` is the module's."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000, help="simulated studies a row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="rows at once")
    return parser
