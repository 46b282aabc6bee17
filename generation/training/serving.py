"""How to serve a tuned model: the commands for each server, and what it then answers as."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from generation.training.trainer_command import DEFAULT_PYTHON

# The ranks for which vLLM has room to choose from.
VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
DEFAULT_RANK = 16


@dataclass(frozen=True, slots=True)
class Tuned:
    """A tuned model on disk. `name` is a word that servers take as a model's name."""

    name: str
    folder: str
    base: str
    is_adapter: bool
    rank: int = DEFAULT_RANK

    @property
    def whole(self) -> str:
        """The folder with all weights: the trainer leaves an adapter in `model`, merged weights in `merged` beside."""
        return f"{self.folder.removesuffix('/model')}/merged" if self.is_adapter else self.folder


@dataclass(frozen=True, slots=True)
class Server:
    """One way to serve: what is typed, the address then, and the model's name there."""

    name: str
    words: str
    commands: Sequence[str]
    address: str
    model: str


def servers(tuned: Tuned) -> list[Server]:
    """The ways to serve this model, the usual one first."""
    ways = [_vllm_adapter(tuned)] if tuned.is_adapter else []
    return [*ways, _vllm(tuned), _llama_cpp(tuned), _transformers(tuned)]


def merging(tuned: Tuned) -> list[str]:
    """The command that adds an adapter to its base; none for a model with all weights."""
    if not tuned.is_adapter:
        return []
    script = (
        "import sys; from peft import AutoPeftModelForCausalLM as Model; from transformers import AutoTokenizer; "
        "adapter, out = sys.argv[1:]; "
        "Model.from_pretrained(adapter, dtype='auto').merge_and_unload().save_pretrained(out); "
        "AutoTokenizer.from_pretrained(adapter).save_pretrained(out)"
    )
    return [shlex.join([DEFAULT_PYTHON, "-c", script, tuned.folder, tuned.whole])]


def _vllm_adapter(tuned: Tuned) -> Server:
    rank = next((known for known in VLLM_RANKS if known >= tuned.rank), VLLM_RANKS[-1])
    command = [
        "vllm", "serve", tuned.base, "--enable-lora", "--lora-modules", f"{tuned.name}={tuned.folder}",
        "--max-lora-rank", str(rank), "--tokenizer", tuned.folder,
        "--chat-template", f"{tuned.folder}/chat_template.jinja", "--generation-config", tuned.folder,
    ]  # fmt: skip
    words = (
        "The base and the adapter beside it: both answer at one address, so that they can be compared. Tokenizer, "
        "template and stop token are those of training; a base without a chat template has none of its own."
    )
    return Server("vLLM with the adapter", words, [shlex.join(command)], "http://127.0.0.1:8000/v1", tuned.name)


def _vllm(tuned: Tuned) -> Server:
    command = ["vllm", "serve", tuned.whole, "--served-model-name", tuned.name]
    commands = [*merging(tuned), shlex.join(command)]
    name, words = "vLLM", "One model with all its weights."
    if tuned.is_adapter:
        name, words = "vLLM, merged", "The adapter is added to its base once; then it is served as one model."
    return Server(name, words, commands, "http://127.0.0.1:8000/v1", tuned.name)


def _llama_cpp(tuned: Tuned) -> Server:
    file = f"{tuned.name}.gguf"
    commands = [
        *merging(tuned),
        shlex.join(["python", "convert_hf_to_gguf.py", tuned.whole, "--outfile", file, "--outtype", "bf16"]),
        shlex.join(["llama-server", "-m", file, "--alias", tuned.name, "--jinja", "--port", "8080"]),
    ]
    words = "For a computer without a large card. convert_hf_to_gguf.py is in the source code of llama.cpp."
    return Server("llama.cpp", words, commands, "http://127.0.0.1:8080/v1", tuned.name)


def _transformers(tuned: Tuned) -> Server:
    command = [".venv-finetune/bin/transformers", "serve", tuned.whole, "--port", "8000"]
    words = "Needs what training needed and nothing else. Slow: for a first look. Without a card, add --device cpu."
    return Server(
        "transformers", words, [*merging(tuned), shlex.join(command)], "http://127.0.0.1:8000/v1", tuned.whole
    )


def served_name(name: str, number: int) -> str:
    """The run's name as a word of ASCII letters, digits, dots and dashes; "tuned-7" where nothing is left of it."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-") else "-" for letter in name)
    word = "-".join(part for part in kept.lower().split("-") if part).strip(".-")
    return word[:80] or f"tuned-{number}"
