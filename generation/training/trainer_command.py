"""The commands that start a trainer, here and on another machine, and the words they are printed with."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

MODULE = "generation.training.finetune"
DEFAULT_PYTHON = ".venv-finetune/bin/python"
ACCELERATE = ".venv-finetune/bin/accelerate"
# What stands before the configuration where a run's base is made of one.
FROM_CONFIGURATION = "configuration:"


@dataclass(frozen=True, slots=True)
class Training:
    """What a trainer is told: folders, base and method, and options handed on as they are.

    A resumed training keeps the choices that are stored in its folder, and so does one that is only checked again.
    """

    data: str
    out: str
    base: str = ""
    method: str = ""
    resume: bool = False
    check_only: bool = False
    others: Sequence[str] = ()

    def arguments(self) -> list[str]:
        """What stands behind `python -m generation.training.finetune`."""
        folders = [self.data, "--out", self.out]
        if self.resume or self.check_only:
            return [*folders, "--check-only" if self.check_only else "--resume", *self.others]
        chosen = model_option(self.base)
        return [*folders, *chosen, "--method", self.method, *self.others]

    def command(self, python: str) -> list[str]:
        return [python, "-m", MODULE, *self.arguments()]


def model_option(base: str) -> list[str]:
    """The trainer's option for a base: a model, or one with random weights that it makes of a configuration."""
    configuration = base.removeprefix(FROM_CONFIGURATION)
    return ["--from-config", configuration] if configuration != base else ["--base", base]


@dataclass(frozen=True, slots=True)
class Step:
    """One command to copy, with what it does and where it is typed."""

    words: str
    command: str


def here(run: int) -> str:
    """The command that starts or continues a run on this machine."""
    return f"python manage.py training run --resume {run}"


def elsewhere(training: Training, *, set_name: str, report_url: str) -> list[Step]:
    """The way of a run whose trainer works on another machine and reports over the HTTP API, or by its log."""
    told = [*training.arguments(), "--report", report_url]
    export = ["python", "manage.py", "training", "export", set_name, "--output", training.data]
    alone, several = [DEFAULT_PYTHON, "-m", MODULE, *told], [ACCELERATE, "launch", "-m", MODULE, *told]
    return [
        Step("Here: write the set.", shlex.join(export)),
        Step("Copy it into a checkout there.", f"rsync -a {shlex.quote(training.data)} GPU-MACHINE:stephanie/"),
        Step("There, in the checkout: install what training needs.", "make finetune-install"),
        Step("There: train, and report to this page.", f"STEPHANIE_TOKEN=… {shlex.join(alone)}"),
        Step("The same on all cards of the machine.", f"STEPHANIE_TOKEN=… {shlex.join(several)}"),
    ]
