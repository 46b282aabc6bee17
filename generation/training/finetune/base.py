"""The model that is tuned: its configuration, found without loading it, and whether it fits into memory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.training.finetune.machine import Card, cards, host_memory
from generation.training.finetune.memory import Load, Shape, estimate
from generation.training.finetune.options import Options
from generation.training.finetune.refusals import NOT_POSSIBLE, RefusedError

# Llamas with random weights. The sizes of `1b` are those of Llama 3.2 with a billion weights.
SIZES: dict[str, dict[str, Any]] = {
    "tiny": {
        "vocab_size": 600, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
    },
    "1b": {
        "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
        "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
    },
}  # fmt: skip
# What the estimate assumes where the length is not given; the examples are measured later.
_USUAL_LENGTH = 1024


def config_of(options: Options) -> dict[str, Any]:
    """The configuration of the base as in its config.json; raises RefusedError where there is no such model."""
    if options.from_config:
        return _made(options.from_config)
    folder = Path(options.base)
    if folder.is_dir():
        if (folder / "adapter_config.json").exists():
            raise RefusedError(
                f"{folder} is an adapter. Name the folder of a whole model, such as one made by --merge."
            )
        return _read(folder / "config.json", f"{folder} holds no model: its config.json cannot be read.")
    return _from_hub(options.base)


def require_memory(options: Options, config: Mapping[str, Any], length: int = 0) -> None:
    """Raises RefusedError if not even one example of this many tokens fits by estimate; 0 where it is not known yet."""
    shape = Shape.of(config)
    if shape is None or options.ignore_memory:
        return
    found = cards()
    there = min((card.bytes for card in found), default=host_memory())
    length = length or options.max_length or min(_USUAL_LENGTH, shape.positions or _USUAL_LENGTH)
    load = Load(options.method, options.rank, length, 1, bf16=bool(found), checkpointing=bool(found))
    needed = estimate(shape, load)
    if needed > there:
        advice = "Take --method lora" if options.method == "full" else "Take a smaller base"
        raise RefusedError(
            f"{options.base or options.from_config} needs about {needed / 1e9:,.1f} GB for --method {options.method}, "
            f"and {_place(found)} has {there / 1e9:,.1f} GB. {advice} or a larger card, or add --ignore-memory.",
            NOT_POSSIBLE,
        )


def _place(found: list[Card]) -> str:
    return f"the card ({found[0].name})" if found else "this machine, which has no graphics card,"


def _made(named: str) -> dict[str, Any]:
    if named in SIZES:
        return dict(SIZES[named])
    config = _read(Path(named), f"--from-config takes {', '.join(SIZES)} or a JSON file, and {named} cannot be read.")
    if Shape.of(config) is None:
        raise RefusedError(f"{named} lacks sizes of a Llama, such as hidden_size and num_hidden_layers.")
    return config


def _read(path: Path, why: str) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise RefusedError(why) from None


def _from_hub(name: str) -> dict[str, Any]:
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise RefusedError(
            "Fine-tuning has its own environment. Run make finetune-install first.", NOT_POSSIBLE
        ) from None
    try:
        return dict(json.loads(Path(hf_hub_download(name, "config.json")).read_text(encoding="utf-8")))
    except GatedRepoError:
        why = f"{name} is open only to those who accepted its licence. Accept it on its page, then set HF_TOKEN."
    except LocalEntryNotFoundError:
        why = f"The hub cannot be reached, and {name} was not downloaded before. Name the folder of a model."
    except (HfHubHTTPError, HFValidationError, OSError, ValueError):
        why = f"There is no model {name}, here or on the hub. Name a folder, or a model such as OWNER/NAME."
    raise RefusedError(why)
