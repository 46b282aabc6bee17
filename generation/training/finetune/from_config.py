"""A model of random weights with a tokenizer trained on the data, so that training needs no download."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from generation.training.finetune.templates import LLAMA_3

BEGIN, END, PAD = "<|begin_of_text|>", "<|eot_id|>", "<|end_of_text|>"
SPECIAL = (BEGIN, PAD, "<|start_header_id|>", "<|end_header_id|>", END)
MOST_PIECES = 32_000


def make(config: Mapping[str, Any], texts: Iterable[str], folder: Path, seed: int) -> None:
    """Write model and tokenizer; the same seed and texts give the same ones."""
    tokenizer = _tokenizer(texts, min(int(config["vocab_size"]), MOST_PIECES))
    set_seed(seed)
    sizes = {**config, "vocab_size": max(int(config["vocab_size"]), len(tokenizer))}
    ids = {
        "bos_token_id": tokenizer.convert_tokens_to_ids(BEGIN),
        "eos_token_id": tokenizer.convert_tokens_to_ids(END),
        "pad_token_id": tokenizer.convert_tokens_to_ids(PAD),
    }
    LlamaForCausalLM(LlamaConfig(**{**sizes, **ids})).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(texts: Iterable[str], size: int) -> Any:
    """Byte-level BPE: any text can be written, and nothing is lost."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=["<|start_header_id|>", "<|end_header_id|>"],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = LLAMA_3
    return tokenizer
