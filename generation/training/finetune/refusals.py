"""Why the trainer will not start, in one sentence that says what to do."""

WRONG_INPUT = 2
NOT_POSSIBLE = 1
STOPPED = 3


class RefusedError(Exception):
    """`code` is the exit code, as in core.commands.ExitCode: 2 for a wrong option or file, 1 for all else."""

    def __init__(self, why: str, code: int = WRONG_INPUT) -> None:
        super().__init__(why)
        self.code = code
