"""The report's state machine for as long as you like, by hand; on PostgreSQL where DATABASE_URL names it:

python -m tests.annotation.long_report [--runs 300] [--steps 30]
"""

import argparse
import os
import sys

import pytest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    os.environ |= {"REPORT_MACHINE_RUNS": str(options.runs), "REPORT_MACHINE_STEPS": str(options.steps)}
    return int(pytest.main(["-q", "-p", "no:randomly", "--durations=1", "tests/annotation/test_report_machine.py"]))


if __name__ == "__main__":
    sys.exit(main())
