"""Every choice of a training that the user left open, with its reason. The trainer's libraries decide none of them."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from generation.training.finetune.memory import Load, Shape, estimate
from generation.training.finetune.options import Options

LEARNING_RATES = {"lora": 2e-4, "full": 2e-5, "dpo": 5e-6}
# New weights learn faster the narrower they are.
_NEW_WEIGHTS, _FASTEST = 0.6, 3e-3
BATCH = 64
FEWEST_STEPS_AN_EPOCH = 8
EVALUATIONS = 10
ON_HOST, MOST_ON_CARD = 8, 16
DPO_BETA = 0.1


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decisions depend on. `limit` is the most tokens the model takes, 0 if unknown."""

    examples: int
    longest: int
    limit: int
    hidden: int
    has_card: bool
    has_bf16: bool
    card_bytes: int
    processes: int
    has_validation: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a training; `steps` is an estimate until the trainer counts its batches."""

    learning_rate: float
    max_length: int
    batch: int
    per_device: int
    accumulation: int
    bf16: bool
    gradient_checkpointing: bool
    eval_every: int
    steps: int
    warmup_steps: int
    reasons: dict[str, str]

    def parameters(self, options: Options) -> dict[str, Any]:
        """What is reported and stands on the model card."""
        named = {name: value for name, value in asdict(self).items() if name not in ("steps", "reasons")}
        fixed: dict[str, Any] = {"optimizer": "adamw", "schedule": "linear", "weight_decay": 0.0, "packing": False}
        if options.method != "full":
            fixed |= {"rank": options.rank, "alpha": 2 * options.rank, "target_modules": "all-linear"}
        if options.method == "dpo":
            fixed["beta"] = DPO_BETA
        else:
            fixed["assistant_only_loss"] = True
        return {"method": options.method, "epochs": options.epochs, "seed": options.seed, **named, **fixed}


def decide(options: Options, facts: Facts, shape: Shape | None) -> Plan:
    reasons: dict[str, str] = {}
    rate = _learning_rate(options, facts, reasons)
    length = _max_length(options, facts, reasons)
    bf16, checkpointing = _precision(facts, reasons)
    wanted = _batch(options, facts, reasons)
    load = Load(options.method, options.rank, length, 1, bf16, checkpointing)
    each = _per_device(options, facts, reasons, (shape, load, wanted))
    accumulation = max(1, round(wanted / (each * facts.processes)))
    batch = each * accumulation * facts.processes
    if batch != wanted:
        reasons["batch"] += f" {wanted:,} cannot be divided evenly here, so it is {batch:,}."
    steps = max(1, math.ceil(math.ceil(facts.examples / batch) * options.epochs))
    every = options.eval_every or max(1, steps // EVALUATIONS)
    what = "Evaluation, samples and a checkpoint" if facts.has_validation else "Samples and a checkpoint"
    reasons["eval_every"] = f"{what} every {every:,} of about {steps:,} steps."
    if not facts.has_validation:
        reasons["eval_every"] += " The set has no validation split, so no loss is measured on held-out backgrounds."
    return Plan(rate, length, batch, each, accumulation, bf16, checkpointing, every, steps, steps // 33, reasons)


def _learning_rate(options: Options, facts: Facts, reasons: dict[str, str]) -> float:
    if options.learning_rate:
        reasons["learning_rate"] = f"Learning rate {options.learning_rate:g}, as given."
        return options.learning_rate
    if options.from_config and options.method == "full":
        rate = min(_FASTEST, _NEW_WEIGHTS / facts.hidden)
        reasons["learning_rate"] = f"Learning rate {rate:.2g}: new weights of width {facts.hidden:,} take a high one."
        return rate
    rate = LEARNING_RATES[options.method]
    why = {
        "lora": "usual for LoRA, ten times that of all weights",
        "full": "usual for all weights",
        "dpo": "usual for DPO",
    }
    reasons["learning_rate"] = f"Learning rate {rate:g}: {why[options.method]}."
    return rate


def _max_length(options: Options, facts: Facts, reasons: dict[str, str]) -> int:
    length = options.max_length or facts.longest
    why = "as given" if options.max_length else "the longest example"
    if facts.limit and length > facts.limit:
        length, why = facts.limit, "the most that the model takes"
    reasons["max_length"] = f"Length {length:,} tokens: {why}."
    return length


def _precision(facts: Facts, reasons: dict[str, str]) -> tuple[bool, bool]:
    if facts.has_bf16:
        reasons["bf16"] = "bfloat16 and gradient checkpointing: the card has the first and needs the second for memory."
    elif facts.has_card:
        reasons["bf16"] = "float32: the card has no bfloat16; gradient checkpointing saves memory."
    else:
        reasons["bf16"] = "float32 without gradient checkpointing: on a processor both would only be slower."
    return facts.has_bf16, facts.has_card


def _batch(options: Options, facts: Facts, reasons: dict[str, str]) -> int:
    if options.batch:
        reasons["batch"] = f"{options.batch:,} examples a step, as given."
        return options.batch
    few = max(1, facts.examples // FEWEST_STEPS_AN_EPOCH)
    batch = min(BATCH, few)
    why = (
        "the usual"
        if batch == BATCH
        else f"an epoch of {facts.examples:,} examples then has {FEWEST_STEPS_AN_EPOCH} steps"
    )
    reasons["batch"] = f"{batch:,} examples a step: {why}."
    return batch


def _per_device(options: Options, facts: Facts, reasons: dict[str, str], given: tuple[Shape | None, Load, int]) -> int:
    shape, load, batch = given
    share = max(1, batch // facts.processes)
    if options.per_device:
        reasons["per_device"] = f"{options.per_device:,} at once, as given."
        return min(options.per_device, share)
    if not facts.has_card:
        reasons["per_device"] = f"{min(ON_HOST, share)} at once on a processor."
        return min(ON_HOST, share)
    fitting = [size for size in (1, 2, 4, 8, MOST_ON_CARD) if size <= share and _fits(shape, load, size, facts)]
    size = max(fitting, default=1)
    reasons["per_device"] = f"{size} at once on a card: what fits by estimate."
    return size


def _fits(shape: Shape | None, load: Load, size: int, facts: Facts) -> bool:
    if shape is None:
        return size == 1
    asked = Load(load.method, load.rank, load.length, size, load.bf16, load.checkpointing)
    return estimate(shape, asked) <= facts.card_bytes
