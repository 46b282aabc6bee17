"""How the demo model answers: it finds the stage and the content in a request and applies that stage's rule. Pure.

The stage is known by the `Task:` line that opens a default system prompt; a prompt without one is judged by the
blocks it holds. A new stage is a new line in `RULES`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, cast

from demo.model.faults import DemoStage
from demo.model.phrases import ACKNOWLEDGEMENTS, ANYTHING, GREETINGS, REACTIONS
from demo.model.scoring import judged
from demo.model.writing import Picker, further_split, theme_of, traits_of, write_pair
from dialogues.display import DEMO_LABEL
from dialogues.transcript import Message, Transcript
from generation.default_prompts import TASK_LINES
from generation.prompts import Background, ChatMessage, dialogue_json
from generation.training import delimiter
from generation.training.rendering import DEFAULT_SYSTEM

_STAGES = {line.casefold(): stage for stage, line in TASK_LINES.items()}
_NOTHING = Transcript((Message(1, "Hello there."), Message(2, "Hi.")))


def answer(messages: Sequence[ChatMessage], rng: Random) -> str:
    """The reply to a request; the same for the same messages and the same state of `rng`."""
    return RULES[stage_of(messages)](messages, rng)


def stage_of(messages: Sequence[ChatMessage]) -> DemoStage:
    """Which stage a request is: by its `Task:` line, else by its blocks; `chat` if it has neither."""
    for message in messages[:2]:
        stage = _STAGES.get(message["content"].lstrip().partition("\n")[0].strip().casefold())
        if stage:
            return cast(DemoStage, stage)
    if _block(messages, "rubric") is not None:
        return "judge"
    if _block(messages, "dialogue") is not None:
        return "further_split" if _block(messages, "traits") is None else "theme"
    return "chat" if _block(messages, "background") is None else "pair"


def _theme_rule(messages: Sequence[ChatMessage], rng: Random) -> str:
    transcript = _transcript(_block(messages, "dialogue"))
    known = _mapping(_block(messages, "traits"))
    given = {speaker: _texts(known.get(f"person_{speaker}")) for speaker in (1, 2)}
    drawn = {speaker: [] if given[speaker] else traits_of(transcript, speaker, rng) for speaker in (1, 2)}
    theme = theme_of(transcript, given[1] or drawn[1], given[2] or drawn[2], rng)
    return json.dumps({"theme": theme, "traits_1": drawn[1], "traits_2": drawn[2]}, ensure_ascii=False)


def _pair_rule(messages: Sequence[ChatMessage], rng: Random) -> str:
    found = _mapping(_block(messages, "background"))
    traits = (_texts(found.get("person_1")), _texts(found.get("person_2")))
    beta, gamma = write_pair(Background(str(found.get("theme", "")), *traits), rng)
    return f'{{"single_step": {dialogue_json(beta)},\n"step_by_step": {dialogue_json(gamma)}}}'


def _further_split_rule(messages: Sequence[ChatMessage], rng: Random) -> str:
    rewrite = further_split(_transcript(_block(messages, "dialogue")), rng)
    return f'{{"step_by_step": {dialogue_json(rewrite)}}}'


def _judge_rule(messages: Sequence[ChatMessage], rng: Random) -> str:
    questions, background = _block(messages, "rubric"), _mapping(_block(messages, "background"))
    keys = [str(entry["key"]) for entry in questions or [] if isinstance(entry, dict) and "key" in entry]
    return json.dumps(judged(keys, background, _block(messages, "dialogue"), rng), ensure_ascii=False)


def _chat_rule(messages: Sequence[ChatMessage], rng: Random) -> str:
    """One dense answer; several messages if the chat has a delimiter, or begins as one with a tuned model does."""
    told = [message["content"] for message in messages]
    is_tuned = told[0].startswith(DEFAULT_SYSTEM.partition("\n")[0])
    if not is_tuned and not any(delimiter.DEFAULT in text for text in told):
        return f"Hello! I am made of {DEMO_LABEL}. Your message has {len(told[-1].split())} words."
    is_first, pick = not any(message["role"] == "assistant" for message in messages), Picker(rng)
    said = [pick.phrase(GREETINGS if is_first else REACTIONS)]
    if is_first:
        said.append(f"I am made of {DEMO_LABEL}, by the way.")
    elif rng.randrange(2):
        said.append(pick.phrase(ACKNOWLEDGEMENTS))
    return delimiter.DEFAULT.join([*said, pick.talk(ANYTHING).question])


RULES: Mapping[DemoStage, Callable[[Sequence[ChatMessage], Random], str]] = {
    "theme": _theme_rule,
    "pair": _pair_rule,
    "further_split": _further_split_rule,
    "judge": _judge_rule,
    "chat": _chat_rule,
}


def _block(messages: Sequence[ChatMessage], tag: str) -> Any:
    """The JSON of the last such block in the first message that has one; None without it."""
    opening = f"<{tag}>\n"
    for message in messages:
        start = message["content"].rfind(opening)
        if start < 0 or message["role"] == "assistant":
            continue
        try:
            return json.JSONDecoder().raw_decode(message["content"], start + len(opening))[0]
        except (ValueError, RecursionError):
            continue
    return None


def _transcript(value: Any) -> Transcript:
    try:
        return Transcript.of((entry["speaker"], entry["text"]) for entry in value)
    except (TypeError, KeyError, ValueError):
        return _NOTHING


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str) and item.strip()] if isinstance(value, list) else []
