"""Everything between the options and the first step: tokenizer, template, proof, and the plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from generation.training.finetune import base, machine, proof, templates, trainers
from generation.training.finetune.data import ExportedSet, Row, asked
from generation.training.finetune.decisions import Facts, Plan, decide
from generation.training.finetune.memory import Shape
from generation.training.finetune.options import Options
from generation.training.finetune.proof import Encoded
from generation.training.finetune.refusals import RefusedError

# A reply may get this much longer than the longest of the data before it is cut off.
_LONGER, _LONGEST = 1.5, 512
TRAINED_ON = ("train", "validation")


@dataclass(frozen=True, slots=True)
class Prepared:
    """`sets` holds the encoded examples by split, or those of preferences, which TRL encodes itself, in `pairs`.

    `most_tokens` is where a generated reply is cut off.
    """

    tokenizer: Any
    template: str
    stop_id: int
    plan: Plan
    sets: dict[str, list[Encoded]]
    pairs: dict[str, list[Row]]
    most_tokens: int
    notices: tuple[str, ...]


def prepare(options: Options, data: ExportedSet, base_name: str, config: Mapping[str, Any]) -> Prepared:
    """Raises RefusedError where the proof fails."""
    tokenizer = trainers.load_tokenizer(base_name)
    chosen = templates.choose(tokenizer, options.chat_template, options.method)
    pieces = proof.require_delimiter(tokenizer, data.delimiter)
    for rows in data.rows.values():
        proof.require_plain_texts(tokenizer, rows)
    proof.require_same_text(tokenizer, chosen.training, chosen.serving, data.rows["train"][0])
    measured = _measured(options, data, tokenizer, chosen)
    tokenizer.chat_template = chosen.serving
    shape = Shape.of(config)
    plan = decide(options, _facts(data, max(measured.lengths["train"] + measured.lengths["validation"]), shape), shape)
    base.require_memory(options, config, plan.max_length)
    sets, pairs = measured.kept(data, plan.max_length)
    if not (sets or pairs)["train"]:
        raise RefusedError(f"Cut at {plan.max_length:,} tokens, no example has a reply left. Raise --max-length.")
    stop_id = proof.stop_token(tokenizer, chosen.serving, data.rows["train"][0].messages)
    notices = (
        chosen.why,
        f"Proven on {sum(map(len, data.rows.values())):,} examples: what is trained is each reply with its delimiters "
        f"and the stop token {tokenizer.convert_ids_to_tokens(stop_id)}.",
        f"The delimiter {data.delimiter!r} is {len(pieces)} ordinary tokens.",
        f"The {len(measured.lengths['train']):,} examples to train on have {sum(measured.lengths['train']):,} tokens.",
        *_cut_notices(measured.lengths, {split: len(rows) for split, rows in (sets or pairs).items()}, plan),
        *plan.reasons.values(),
    )
    most = max(len(tokenizer.encode(one.reply, add_special_tokens=False)) for one in asked(data.rows["train"]))
    most_tokens = min(int(_LONGER * most) + 1, _LONGEST)
    return Prepared(tokenizer, chosen.serving, stop_id, plan, sets, pairs, most_tokens, notices)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Examples by split, encoded unless they are preferences, and their lengths in tokens."""

    sets: dict[str, list[Encoded]]
    lengths: dict[str, list[int]]

    def kept(self, data: ExportedSet, most: int) -> tuple[dict[str, list[Encoded]], dict[str, list[Row]]]:
        """Examples cut at `most` tokens where a reply is left; preferences that are no longer than that."""
        if self.sets:
            return {split: trainers.cut(rows, most) for split, rows in self.sets.items()}, {}
        return {}, {
            split: [row for row, length in zip(data.rows[split], lengths, strict=True) if length <= most]
            for split, lengths in self.lengths.items()
        }


def _measured(options: Options, data: ExportedSet, tokenizer: Any, chosen: templates.Templates) -> _Measured:
    """The examples, each proven; those of the test split are only proven."""
    if options.method == "dpo":
        pairs = {
            split: [_pair_length(row, tokenizer, chosen.serving) for row in rows] for split, rows in data.rows.items()
        }
        return _Measured({}, {split: pairs[split] for split in TRAINED_ON})
    sets = {
        split: [proof.encoded(tokenizer, chosen.training, row) for row in rows] for split, rows in data.rows.items()
    }
    used = {split: sets[split] for split in TRAINED_ON}
    return _Measured(used, {split: [len(row.input_ids) for row in rows] for split, rows in used.items()})


def _pair_length(row: Row, tokenizer: Any, template: str) -> int:
    """Tokens of the prompt with the longer one of its replies."""
    replies = (row.messages[-1]["content"], row.rejected)
    return max(proof.encoded_reply(tokenizer, template, row.messages[:-1], reply, row.name) for reply in replies)


def _cut_notices(lengths: dict[str, list[int]], kept: dict[str, int], plan: Plan) -> Iterator[str]:
    for split, found in lengths.items():
        too_long = sum(length > plan.max_length for length in found)
        if too_long:
            yield (
                f"{too_long:,} of {len(found):,} examples of {split} are longer than {plan.max_length:,} tokens. "
                f"{too_long - len(found) + kept[split]:,} were cut there, {len(found) - kept[split]:,} were left out."
            )


def _facts(data: ExportedSet, longest: int, shape: Shape | None) -> Facts:
    has_card = torch.cuda.is_available()
    return Facts(
        examples=len(data.rows["train"]),
        longest=longest,
        limit=shape.positions if shape else 0,
        hidden=shape.hidden if shape else 0,
        has_card=has_card,
        has_bf16=has_card and torch.cuda.is_bf16_supported(),
        card_bytes=torch.cuda.get_device_properties(0).total_memory if has_card else 0,
        processes=machine.processes(),
        has_validation=bool(data.rows["validation"]),
    )


def texts(data: ExportedSet) -> Iterator[str]:
    """What a new tokenizer learns from: the training split alone."""
    for row in data.rows["train"]:
        yield from (message["content"] for message in row.messages)


def base_folder(options: Options, made: Path) -> str:
    """The name or folder of the model that is tuned."""
    return str(made) if options.from_config else options.base
