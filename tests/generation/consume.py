"""What other programs make of an exported training set, printed as JSON; run by the Python for fine-tuning.

`consume.py load FOLDER` opens it with `datasets`. `consume.py mask FOLDER` has TRL prepare it for training with a tiny
model and tokenizer made here, and decodes what would be trained.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def load(folder: str) -> dict[str, Any]:
    import datasets

    found = datasets.load_dataset(folder)
    return {
        "examples": {split: rows.num_rows for split, rows in found.items()},
        "features": found["train"].features.to_dict(),
        "from_card": datasets.load_dataset_builder(folder).info.features.to_dict(),
    }


def mask(folder: str) -> dict[str, Any]:
    """For each template and form the words that are trained, one text for each stretch of tokens."""
    import trl

    templates = Path(trl.__file__).parent / "chat_templates"
    return {
        f"{template} {form}": _trained(f"{folder}/{form}", templates / f"{template}.jinja", marks, stop)
        for template, marks, stop in (
            ("qwen2_5_training", ["<|im_start|>", "<|im_end|>"], "<|im_end|>"),
            ("llama3_training", ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], "<|eot_id|>"),
        )
        for form in ("trl/messages", "trl/prompt_completion")
    }


def _trained(folder: str, template: Path, marks: list[str], stop: str) -> list[list[str]]:
    import datasets
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    rows = datasets.load_dataset(folder, split="train")
    tokenizer = _tokenizer([json.dumps(row, ensure_ascii=False) for row in rows], marks, stop)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    with tempfile.TemporaryDirectory() as place:
        arguments = SFTConfig(
            output_dir=place,
            chat_template_path=str(template),
            assistant_only_loss=folder.endswith("messages"),
            max_length=4096,
            bf16=False,
            use_cpu=True,
            report_to="none",
        )
        trainer = SFTTrainer(LlamaForCausalLM(config), arguments, train_dataset=rows, processing_class=tokenizer)
        batches = [trainer.data_collator([row]) for row in trainer.train_dataset]
    return [list(_stretches(batch, tokenizer)) for batch in batches]


def _stretches(batch: Any, tokenizer: Any) -> Iterator[str]:
    tokens: list[int] = []
    for token, label in zip(batch["input_ids"][0].tolist(), batch["labels"][0].tolist(), strict=True):
        if label != -100:
            tokens.append(token)
        elif tokens:
            yield tokenizer.decode(tokens)
            tokens = []
    if tokens:
        yield tokenizer.decode(tokens)


def _tokenizer(texts: list[str], marks: list[str], stop: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = [*marks, "<|begin_of_text|>", "<|pad|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|begin_of_text|>", eos_token=stop, pad_token="<|pad|>"
    )


if __name__ == "__main__":
    json.dump({"load": load, "mask": mask}[sys.argv[1]](sys.argv[2]), sys.stdout)
