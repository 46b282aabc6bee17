"""The command `python -m generation.training.finetune`: refuses what it can before anything heavy is loaded."""

import importlib
import os
import sys
import urllib.parse
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from generation.training.finetune import base, machine
from generation.training.finetune.data import open_set
from generation.training.finetune.folder import Folder
from generation.training.finetune.options import Options, first_look, read
from generation.training.finetune.refusals import NOT_POSSIBLE, RefusedError


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    try:
        return _run(arguments)
    except RefusedError as refused:
        sys.stderr.write(f"{refused}\n")
        return refused.code


def _run(arguments: Sequence[str] | None) -> int:
    out, goes_on = first_look(arguments)
    folder = Folder(out)
    stored = folder.stored() if goes_on else {}
    data_sha256 = stored.pop("data_sha256", "")
    options = read(arguments, stored)
    _check_address(options)
    data = open_set(options.data, options.method)
    if goes_on and data.sha256 != data_sha256:
        raise RefusedError(
            f"{options.out} was trained on other data. Name the folder of that export, or another --out."
        )
    config = base.config_of(options)
    base.require_memory(options, config)
    if machine.is_first():
        _require_fitting(folder, options)
    if machine.use_one_card():
        sys.stderr.write("One card trains. To train on all, start this by accelerate launch.\n")
    session = _session()
    with folder.lock() if machine.is_first() else nullcontext():
        return int(session.run(options, folder, data, config))


def _require_fitting(folder: Folder, options: Options) -> None:
    """Refused here, nothing is told of it: what a finished training has told stays its last word."""
    if options.check_only:
        folder.require_model()
    elif options.resume:
        folder.require_unfinished()
    else:
        folder.require_unused()


def _session() -> Any:
    """What trains; it loads torch, which takes seconds. Raises RefusedError in the product's own environment."""
    try:
        return importlib.import_module("generation.training.finetune.session")
    except ImportError as error:
        raise RefusedError(
            f"Fine-tuning has its own environment; this Python lacks {error.name}. Run make finetune-install first.",
            NOT_POSSIBLE,
        ) from None


def _check_address(options: Options) -> None:
    if not options.report:
        return
    address = urllib.parse.urlsplit(options.report)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise RefusedError("--report takes the address of the run's events, beginning with https:// or http://.")
    if not os.environ.get("STEPHANIE_TOKEN"):
        raise RefusedError("Set STEPHANIE_TOKEN to an API token of yours, so that events can be reported.")


if __name__ == "__main__":
    sys.exit(main())
