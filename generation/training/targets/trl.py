"""Files for TRL: huggingface.co/docs/trl/dataset_formats, in its conversational forms.

`messages` keeps a dialogue whole and needs `assistant_only_loss=True`, else the user's turns are trained, too.
`prompt` and `completion` give a line for each turn of the assistant, with all that was said before as the prompt, so
only that turn is trained whatever the chat template marks; the words of the user are read again for each line.
"""

from collections.abc import Iterator

from generation.training.rendering import Example, Preference
from generation.training.targets.target import Row, Target, messages, reply


def _messages(made: Example) -> Iterator[Row]:
    yield {"messages": messages(made.turns)}


def _prompts(made: Example) -> Iterator[Row]:
    said = messages(made.turns)
    for place, turn in enumerate(made.turns):
        if turn.role == "assistant":
            yield {"prompt": said[:place], "completion": said[place : place + 1]}


def _assistant_turns(made: Example) -> int:
    return sum(turn.role == "assistant" for turn in made.turns)


def _preference(made: Preference) -> Iterator[Row]:
    yield {"prompt": messages(made.prompt), "chosen": [reply(made.chosen)], "rejected": [reply(made.rejected)]}


MESSAGES = Target(
    "trl-messages",
    "trl/messages",
    "TRL messages",
    "SFTTrainer with SFTConfig(assistant_only_loss=True); the chat template must mark what the assistant says.",
    _messages,
)
PROMPTS = Target(
    "trl-prompt-completion",
    "trl/prompt_completion",
    "TRL prompt and completion",
    "SFTTrainer with any chat template: one line for each turn of the assistant, all before it is the prompt.",
    _prompts,
    _assistant_turns,
)
PREFERENCES = Target("trl-preference", "trl/preference", "TRL preferences", "DPOTrainer.", _preference)
