"""Files for OpenAI's fine-tuning API, and for the providers that read the same form.

Chat: platform.openai.com/docs/guides/supervised-fine-tuning; every assistant message is trained, as none has a weight.
Preferences: platform.openai.com/docs/guides/direct-preference-optimization; one reply on each side, as it asks.
"""

from collections.abc import Iterator

from generation.training.rendering import Example, Preference
from generation.training.targets.target import Row, Target, messages, reply


def _chat(made: Example) -> Iterator[Row]:
    yield {"messages": messages(made.turns)}


def _preference(made: Preference) -> Iterator[Row]:
    yield {
        "input": {"messages": messages(made.prompt)},
        "preferred_output": [reply(made.chosen)],
        "non_preferred_output": [reply(made.rejected)],
    }


CHAT = Target("openai", "openai", "OpenAI chat", "Upload train.jsonl and validation.jsonl as they are.", _chat)
PREFERENCES = Target(
    "openai", "openai", "OpenAI preferences", "Upload train.jsonl and validation.jsonl as they are.", _preference
)
