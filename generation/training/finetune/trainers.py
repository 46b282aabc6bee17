"""TRL's trainers, with every default that matters set by the plan."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from generation.training.finetune import machine
from generation.training.finetune.data import Row
from generation.training.finetune.decisions import DPO_BETA, Plan
from generation.training.finetune.options import Options
from generation.training.finetune.proof import Encoded
from generation.training.finetune.refusals import RefusedError

LOG_LINES = 200
KEPT_CHECKPOINTS = 2


def on_processors() -> bool:
    """Whether several trainers share a machine without a card; accelerate has to be told, or each trains alone."""
    return machine.processes() > 1 and not torch.cuda.is_available()


def load_tokenizer(base: str) -> Any:
    """Its padding token is one that no text holds; raises RefusedError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise RefusedError(f"The tokenizer of {base} cannot be loaded: {_first_line(error)}") from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def dtype(options: Options, plan: Plan) -> torch.dtype:
    """Frozen weights are in bfloat16 where the card has it, trained ones in float32."""
    return torch.bfloat16 if plan.bf16 and options.method != "full" else torch.float32


def load_model(base: str, dtype: torch.dtype) -> Any:
    """Raises RefusedError."""
    try:
        return AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    except (OSError, ValueError) as error:
        raise RefusedError(f"The model {base} cannot be loaded: {_first_line(error)}") from None


def supervised(
    model: Any, tokenizer: Any, sets: dict[str, list[Encoded]], common: dict[str, Any], adapter: LoraConfig | None
) -> SFTTrainer:
    """`sets` hold the proven tokens and labels, so TRL has nothing left to render, mask or cut."""
    given = {
        split: Dataset.from_dict({"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]})
        for split, rows in sets.items()
        if rows
    }
    config = SFTConfig(**common, max_length=None, packing=False)
    return SFTTrainer(
        model,
        config,
        train_dataset=given["train"],
        eval_dataset=given.get("validation"),
        processing_class=tokenizer,
        peft_config=adapter,
    )


def preferring(
    model: Any, tokenizer: Any, sets: dict[str, list[Row]], common: dict[str, Any], adapter: LoraConfig | None
) -> DPOTrainer:
    """The reference is the base itself, with the adapter switched off."""
    given = {split: Dataset.from_list([_pair(row) for row in rows]) for split, rows in sets.items() if rows}
    config = DPOConfig(**common, max_length=None, beta=DPO_BETA)
    return DPOTrainer(
        model,
        args=config,
        train_dataset=given["train"],
        eval_dataset=given.get("validation"),
        processing_class=tokenizer,
        peft_config=adapter,
    )


def adapter(options: Options) -> LoraConfig | None:
    """LoRA on all linear layers; no other weights are trained, which serving programs refuse in adapters."""
    if options.method == "full":
        return None
    return LoraConfig(
        r=options.rank,
        lora_alpha=2 * options.rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def common(options: Options, plan: Plan, checkpoints: Path, *, has_validation: bool) -> dict[str, Any]:
    """The arguments that both trainers take."""
    return {
        "output_dir": str(checkpoints),
        "num_train_epochs": options.epochs,
        "learning_rate": plan.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": plan.warmup_steps,
        "weight_decay": 0.0,
        "per_device_train_batch_size": plan.per_device,
        "per_device_eval_batch_size": plan.per_device,
        "gradient_accumulation_steps": plan.accumulation,
        "use_cpu": on_processors(),
        "bf16": plan.bf16,
        "gradient_checkpointing": plan.gradient_checkpointing,
        "eval_strategy": "steps" if has_validation else "no",
        "eval_steps": plan.eval_every,
        "save_strategy": "steps",
        "save_steps": plan.eval_every,
        "save_total_limit": KEPT_CHECKPOINTS,
        "logging_steps": max(1, plan.steps // LOG_LINES),
        "logging_first_step": True,
        "prediction_loss_only": True,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "seed": options.seed,
        "data_seed": options.seed,
    }


def quiet(trainer: Any) -> None:
    """Events tell what its own callback would print."""
    trainer.remove_callback(PrinterCallback)


def _pair(row: Row) -> dict[str, Any]:
    return {
        "prompt": row.messages[:-1],
        "chosen": row.messages[-1:],
        "rejected": [{"role": "assistant", "content": row.rejected}],
    }


def cut(rows: Sequence[Encoded], length: int) -> list[Encoded]:
    """The rows at most this long; one that has no reply left is left out."""
    shorter = [Encoded(row.input_ids[:length], row.labels[:length]) for row in rows]
    return [row for row in shorter if any(label >= 0 for label in row.labels)]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
