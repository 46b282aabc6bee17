"""One training from the first look at the tokenizer to the check of the result."""

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import set_seed
from transformers.utils import logging

from generation.training.events import EventKind
from generation.training.finetune import checking, from_config, machine, saving, trainers
from generation.training.finetune.callbacks import Reporter
from generation.training.finetune.check import sample_prompts
from generation.training.finetune.data import ExportedSet
from generation.training.finetune.folder import Folder
from generation.training.finetune.generating import Writer
from generation.training.finetune.journal import Journal, PrintedJournal, WrittenJournal
from generation.training.finetune.options import Options
from generation.training.finetune.posting import Poster
from generation.training.finetune.preparing import Prepared, base_folder, prepare, texts
from generation.training.finetune.refusals import NOT_POSSIBLE, STOPPED, RefusedError
from generation.training.finetune.work import Stopping, Work


def run(options: Options, folder: Folder, data: ExportedSet, config: Mapping[str, Any]) -> int:
    """Returns the exit code; every end is an event, too."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    stopping = Stopping()
    if not machine.is_first():
        return _work(Work(options, folder, data, config, Journal(), stopping))
    if options.dry_run:
        return _work(Work(options, folder, data, config, PrintedJournal(), stopping))
    poster = Poster(options.report, os.environ["STEPHANIE_TOKEN"]) if options.report else None
    journal = WrittenJournal(folder.events, poster) if poster else WrittenJournal(folder.events)
    try:
        return _told(Work(options, folder, data, config, journal, stopping))
    finally:
        journal.close()
        if poster and (problem := poster.close()):
            sys.stderr.write(problem + "\n")


def _told(work: Work) -> int:
    """The work, its failure told before anything else; the outermost boundary."""
    try:
        return _work(work)
    except RefusedError as refused:
        _tell_failure(work, str(refused))
        raise
    except torch.OutOfMemoryError:
        why = "The card ran out of memory. Start again with a lower --per-device or --max-length."
        _tell_failure(work, why)
        raise RefusedError(why, NOT_POSSIBLE) from None
    except Exception as error:
        _tell_failure(work, f"{type(error).__name__}: {error}"[:2000])
        traceback.print_exc()
        return NOT_POSSIBLE


def _tell_failure(work: Work, why: str) -> None:
    """A check that failed says nothing against the training, which has its model."""
    if work.options.check_only:
        work.journal.notice(f"The check failed: {why}")
    else:
        work.journal.tell(EventKind.FAILED, {"why": why})


def _work(work: Work) -> int:
    with tempfile.TemporaryDirectory() as tried:
        made = Path(tried) if work.options.dry_run else work.folder.base
        if work.options.from_config and not (work.options.resume or work.options.check_only):
            with PartialState(cpu=trainers.on_processors()).main_process_first():
                # For a trial each process has a folder of its own.
                if machine.is_first() or work.options.dry_run:
                    from_config.make(work.config, texts(work.data), made, work.options.seed)
        base = base_folder(work.options, made)
        prepared = prepare(work.options, work.data, base, work.config)
        if work.options.check_only:
            return checking.check_again(work, prepared, base)
        for notice in prepared.notices:
            work.journal.notice(notice)
        return 0 if work.options.dry_run else _train(work, prepared, base)


def _train(work: Work, prepared: Prepared, base: str) -> int:
    options, folder, journal = work.options, work.folder, work.journal
    checkpoint = _checkpoint(work) if options.resume else None
    if machine.is_first() and not options.resume:
        folder.begin(options, work.data.sha256)
    set_seed(options.seed)
    trainer = _trainer(work, prepared, base)
    model = trainer.model
    writer = Writer(
        prepared.tokenizer,
        prepared.template,
        saving.stop_ids(model, prepared.stop_id),
        prepared.most_tokens,
        work.is_stopping,
    )

    def started(steps: int) -> None:
        journal.tell(EventKind.STARTED, _started(work, prepared, steps, checkpoint))

    reporter = Reporter(journal, writer, sample_prompts(work.data, options.seed), started)
    trainer.add_callback(reporter)
    begun = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    step = trainer.state.global_step
    if reporter.is_stopped and step < trainer.state.max_steps:
        journal.tell(EventKind.STOPPED, {"step": step})
        return STOPPED
    if machine.is_first():
        saving.save(model, prepared, folder.model)
        for notice in saving.notices(model, prepared):
            journal.notice(notice)
        checking.check(work, model, writer, base)
        if options.merge and options.method != "full":
            saving.save(model.merge_and_unload(), prepared, folder.merged)
        seconds = round(time.monotonic() - begun, 1)
        is_adapter = options.method != "full"
        end = {"seconds": seconds, "steps": step, "folder": str(folder.model.resolve()), "is_adapter": is_adapter}
        journal.tell(EventKind.FINISHED, end)
    return 0


def _trainer(work: Work, prepared: Prepared, base: str) -> Any:
    options = work.options
    model = trainers.load_model(base, trainers.dtype(options, prepared.plan))
    has_validation = bool((prepared.sets or prepared.pairs)["validation"])
    common = trainers.common(options, prepared.plan, work.folder.checkpoints, has_validation=has_validation)
    adapter = trainers.adapter(options)
    if options.method == "dpo":
        made: Any = trainers.preferring(model, prepared.tokenizer, prepared.pairs, common, adapter)
    else:
        made = trainers.supervised(model, prepared.tokenizer, prepared.sets, common, adapter)
    trainers.quiet(made)
    return made


def _checkpoint(work: Work) -> Path | None:
    found = work.folder.last_checkpoint()
    where = f"after {found.name.replace('-', ' ')}" if found else "from the beginning, as there is no checkpoint yet"
    work.journal.notice(f"The training goes on {where}.")
    return found


def _started(work: Work, prepared: Prepared, steps: int, checkpoint: Path | None) -> dict[str, Any]:
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    return {
        "steps": steps,
        "resumed_at": int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0,
        "base": work.options.base or f"from configuration: {work.options.from_config}",
        "set": work.data.name,
        "delimiter": work.data.delimiter,
        "labels": work.data.labels,
        "parameters": prepared.plan.parameters(work.options),
        "environment": {**machine.environment(), "device": device},
        "data_sha256": work.data.sha256,
    }
