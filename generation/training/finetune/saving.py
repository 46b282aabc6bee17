"""The finished model on disk, so that any program that serves it stops where a reply ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generation.training.finetune.preparing import Prepared


def stop_ids(model: Any, trained: int) -> list[int]:
    """The tokens at which generation ends: the trained stop token, and those of the base."""
    return [trained, *(token for token in _base_stops(model) if token != trained)]


def save(model: Any, prepared: Prepared, folder: Path) -> None:
    """Model or adapter with its tokenizer, the template without marks of training, and the stop token."""
    model.generation_config.eos_token_id = stop_ids(model, prepared.stop_id)
    model.config.use_cache = True
    model.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    prepared.tokenizer.save_pretrained(folder)


def notices(model: Any, prepared: Prepared) -> Iterator[str]:
    if hasattr(model, "peft_config") and prepared.stop_id not in _base_stops(model.get_base_model()):
        token = prepared.tokenizer.convert_ids_to_tokens(prepared.stop_id)
        yield (
            f"The base does not end replies at {token}, as the adapter does. Serve the merged model (--merge), or "
            f"send {token} as stop with each request."
        )


def _base_stops(model: Any) -> list[int]:
    found = model.generation_config.eos_token_id
    return list(found) if isinstance(found, list) else [found] if found is not None else []
