"""Files for axolotl: docs.axolotl.ai, dataset formats “conversation” and “RLHF”.

Left to itself, axolotl drops an example that is longer than `sequence_len`; the configuration here has it stop instead.
"""

from collections.abc import Iterator, Mapping, Sequence

from generation.training.rendering import Example, Preference
from generation.training.splits import TEST, TRAIN
from generation.training.targets.target import Row, Target, messages, reply

_ABOUT = "axolotl train config.yaml in this folder, once it names the base model."
_HEAD = """# Run axolotl in this folder. A base model without a chat template needs one here, such as llama3 or chatml.
base_model: NAME_OF_THE_BASE_MODEL
chat_template: tokenizer_default
# Rather stop than leave out what does not fit into sequence_len.
excess_length_strategy: raise
"""
_DIALOGUES = """    type: chat_template
    field_messages: messages
    message_property_mappings:
      role: role
      content: content
    roles_to_train: [assistant]
    train_on_eos: turn
"""
_PREFERENCES = """    type: chat_template.default
    field_messages: messages
    field_chosen: chosen
    field_rejected: rejected
"""


def _dialogue(made: Example) -> Iterator[Row]:
    yield {"messages": messages(made.turns)}


def _preference(made: Preference) -> Iterator[Row]:
    yield {"messages": messages(made.prompt), "chosen": reply(made.chosen), "rejected": reply(made.rejected)}


def _dialogue_config(splits: Sequence[str]) -> Mapping[str, str]:
    return _config(splits, _HEAD, _DIALOGUES)


def _preference_config(splits: Sequence[str]) -> Mapping[str, str]:
    return _config(splits, f"{_HEAD}rl: dpo\n", _PREFERENCES)


def _config(splits: Sequence[str], head: str, how: str) -> Mapping[str, str]:
    """The test split is left out: it is for what comes after training."""
    lists = {"datasets": [TRAIN], "test_datasets": [split for split in splits if split not in (TRAIN, TEST)]}
    parts = [
        f"{name}:\n"
        + "".join(f"  - path: {split}.jsonl\n    ds_type: json\n    split: train\n{how}" for split in chosen)
        for name, chosen in lists.items()
        if chosen
    ]
    return {"config.yaml": head + "".join(parts)}


CHAT_TEMPLATE = Target("axolotl", "axolotl", "axolotl", _ABOUT, _dialogue, files=_dialogue_config)
PREFERENCES = Target("axolotl", "axolotl", "axolotl preferences", _ABOUT, _preference, files=_preference_config)
