"""The trainer's command line."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from generation.training.finetune.refusals import RefusedError

METHODS = ("lora", "full", "dpo")
EXIT_CODES = (
    "Exit codes: 0 done; 1 not possible here, or it failed; 2 an option or the given data is wrong; "
    "3 stopped, continue with --resume."
)
# What a resumed training may say anew; all else stays as it was chosen.
_FREE = ("data", "out", "resume", "check_only", "dry_run", "report", "ignore_memory", "merge", "check_prompts")


@dataclass(frozen=True, slots=True)
class Options:
    """0 and "" leave the choice to the trainer, which says what it chose and why."""

    data: Path
    out: Path
    base: str = ""
    from_config: str = ""
    method: str = "lora"
    epochs: float = 3.0
    learning_rate: float = 0.0
    rank: int = 16
    batch: int = 0
    per_device: int = 0
    max_length: int = 0
    eval_every: int = 0
    seed: int = 0
    chat_template: str = ""
    check_prompts: int = 64
    report: str = ""
    merge: bool = False
    resume: bool = False
    check_only: bool = False
    dry_run: bool = False
    ignore_memory: bool = False

    def choices(self) -> dict[str, Any]:
        """What must stay the same when a training goes on."""
        return {name: value for name, value in asdict(self).items() if name not in _FREE}


def read(arguments: Sequence[str] | None, stored: Mapping[str, Any] | None = None) -> Options:
    """The options of a command line; raises RefusedError. argparse itself ends a malformed one with exit code 2.

    `stored` holds the choices of the training that is resumed: what is not given is taken from there, and what
    contradicts them is refused.
    """
    given = vars(_parser().parse_args(arguments))
    for name, value in (stored or {}).items():
        if given.setdefault(name, value) != value:
            option = "--" + name.replace("_", "-")
            raise RefusedError(
                f"This training began with {option} {value}. Leave out {option}, or start another --out."
            )
    options = Options(**given)
    _check(options)
    return options


def first_look(arguments: Sequence[str] | None) -> tuple[Path, bool]:
    """The folder, and whether a training in it is continued or checked."""
    given = vars(_parser().parse_args(arguments))
    return given["out"], bool(given.get("resume") or given.get("check_only"))


def _check(options: Options) -> None:
    if bool(options.base) == bool(options.from_config):
        raise RefusedError("Name one model to train: --base MODEL_OR_FOLDER, or --from-config tiny.")
    for name in ("epochs", "rank"):
        if not getattr(options, name) > 0:
            raise RefusedError(f"--{name} must be above 0.")
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, int | float) and value < 0:
            raise RefusedError(f"--{field.name.replace('_', '-')} must not be negative.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m generation.training.finetune",
        description="Fine-tune a model on an exported training set.",
        epilog=EXIT_CODES,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="the folder of the exported training set")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the model, checkpoints and events")
    _add_model(parser.add_argument_group("model"))
    _add_training(parser.add_argument_group("training; what is left out is decided, and said why"))
    _add_running(parser.add_argument_group("running"))
    return parser


def _add_model(group: Any) -> None:
    group.add_argument("--base", metavar="MODEL_OR_FOLDER", help="the model to tune: its name on a hub, or its folder")
    group.add_argument(
        "--from-config",
        metavar="tiny|1b|FILE",
        help="instead of a base: a Llama with random weights of this size or JSON configuration; nothing is downloaded",
    )
    group.add_argument(
        "--chat-template",
        metavar="FILE",
        help="a Jinja template with {%% generation %%} marks, where the model's own has none and none is known for it",
    )
    group.add_argument("--merge", action="store_true", help="write the model with its adapter merged, too")


def _add_training(group: Any) -> None:
    group.add_argument("--method", choices=METHODS, help="LoRA (default), all weights, or DPO with LoRA")
    group.add_argument("--epochs", type=float, help="how often the data are read (default 3)")
    group.add_argument("--learning-rate", type=float, help="default by method: LoRA 2e-4, full 2e-5, DPO 5e-6")
    group.add_argument("--rank", type=int, help="rank of LoRA (default 16, the most vLLM takes without an option)")
    group.add_argument("--batch", type=int, help="examples a step, on all cards (default 64, fewer for small sets)")
    group.add_argument("--per-device", type=int, help="examples at once on a card (default: what fits by estimate)")
    group.add_argument("--max-length", type=int, help="tokens an example (default: the longest, so that none is cut)")
    group.add_argument("--eval-every", type=int, metavar="STEPS", help="default: ten times in all")
    group.add_argument("--seed", type=int, help="of shuffling and of new weights (default 0)")
    group.add_argument("--check-prompts", type=int, metavar="N", help="held-out prompts of the last check (default 64)")


def _add_running(group: Any) -> None:
    group.add_argument(
        "--report", metavar="URL", help="also post events to this address, with the token in STEPHANIE_TOKEN"
    )
    group.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    group.add_argument("--check-only", action="store_true", help="only check the finished model in --out again")
    group.add_argument("--dry-run", action="store_true", help="decide and prove everything, then end before training")
    group.add_argument("--ignore-memory", action="store_true", help="train although the estimate of memory says no")
