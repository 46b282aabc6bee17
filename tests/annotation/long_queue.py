"""The queue's state machine for as long as you like, by hand; on PostgreSQL where DATABASE_URL names it:

python -m tests.annotation.long_queue [--runs 500] [--steps 50]
"""

import argparse
import os
import sys

import pytest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    os.environ |= {"QUEUE_MACHINE_RUNS": str(options.runs), "QUEUE_MACHINE_STEPS": str(options.steps)}
    only = "tests/annotation/test_queue_machine.py::test_whatever_happens_the_queue_keeps_its_promises"
    return int(pytest.main(["-q", "-p", "no:randomly", "--durations=1", only]))


if __name__ == "__main__":
    sys.exit(main())
