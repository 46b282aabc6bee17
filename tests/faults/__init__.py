"""What breaks while a run goes on, and what must hold all the same: `python -m tests.faults --help`."""
