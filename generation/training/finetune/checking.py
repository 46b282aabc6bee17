"""The check after training: of the model in memory, or of a finished folder again."""

from typing import Any

import torch
from peft import PeftModel

from generation.training.events import EventKind
from generation.training.finetune import saving, trainers
from generation.training.finetune.check import Check, chosen
from generation.training.finetune.generating import Writer
from generation.training.finetune.preparing import Prepared
from generation.training.finetune.refusals import STOPPED
from generation.training.finetune.work import Work


def check(work: Work, model: Any, writer: Writer, base: str) -> bool:
    """Tell the rows; a set that holds nothing out is only noticed. False if it was stopped half-way.

    What a check again has of the rows then is not told, because it would replace those of the check before.
    """
    data, journal = work.data, work.journal
    if not data.held_out:
        journal.notice("The set holds no background out, so the model was not checked.")
        return True
    check = Check(data, chosen(data, data.held_out, work.options.check_prompts, work.options.seed))
    check.ask("tuned", model, writer)
    if isinstance(model, PeftModel):
        with model.disable_adapter():
            check.ask("base", model, writer)
    else:
        device = model.device
        model.to("cpu")
        check.ask("base", trainers.load_model(base, model.dtype).to(device), writer)
    is_whole = len(check.rows) == 3
    if is_whole or not work.options.check_only:
        journal.tell(EventKind.CHECKED, {"split": data.held_out, "rows": check.rows})
    if not is_whole:
        journal.notice("The check was stopped. Run it again with --check-only.")
    return is_whole


def check_again(work: Work, prepared: Prepared, base: str) -> int:
    folder = work.folder.model
    dtype = trainers.dtype(work.options, prepared.plan)
    model = trainers.load_model(str(folder) if work.options.method == "full" else base, dtype)
    if work.options.method != "full":
        model = PeftModel.from_pretrained(model, folder)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    stops = saving.stop_ids(model, prepared.stop_id)
    writer = Writer(prepared.tokenizer, prepared.template, stops, prepared.most_tokens, work.is_stopping)
    return 0 if check(work, model, writer, base) else STOPPED
