"""The judge stage: rubric, background and one dialogue → a request; its reply → a score and a reason per metric.

The judge sees what human raters see and nothing else (paper §4.4, §5.1): the metrics in the same words, theme and
characters, and the messages with their spacing and capitals tidied where raters see them so. No version, writer,
corpus or key is among the arguments, so none can be in a request.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialogues.display import tidied
from dialogues.rubric import JUDGE_SCALE, Metric
from dialogues.transcript import Transcript
from generation.parsing import Outcome, ParseError, clean, last_that_fits, unparsable
from generation.prompts import Background, ChatMessage, PromptText, block, filled, one_line
from generation.replies import field

NAMES = ("Person A", "Person B")
REASON_LIMIT = 1000
# How many objects that hold nothing else may wrap the scores.
WRAPPERS = 3

_NUMBER = re.compile(r"\s*(\d{1,3})(?:\.0+)?(?:\s*/\s*100)?\s*")


@dataclass(frozen=True, slots=True)
class Score:
    """0–100, and the sentence that says why."""

    value: int
    reason: str


def judge_messages(
    template: PromptText, metrics: Sequence[Metric], background: Background, transcript: Transcript, *, tidy: bool
) -> list[ChatMessage]:
    """Ask for every metric's score of one dialogue; `tidy` as on raters' pages: messages and traits, not the theme."""
    show = tidied if tidy else str
    questions = ",\n".join(one_line(_question(metric)) for metric in metrics)
    people = {
        "theme": background.theme,
        NAMES[0]: [show(trait) for trait in background.traits_1],
        NAMES[1]: [show(trait) for trait in background.traits_2],
    }
    messages = ",\n".join(one_line({"speaker": NAMES[speaker - 1], "text": show(text)}) for speaker, text in transcript)
    return filled(
        "judge",
        template,
        {
            "rubric": block("rubric", f"[\n{questions}\n]"),
            "background": block("background", one_line(people)),
            "dialogue": block("dialogue", f"[\n{messages}\n]"),
        },
    )


def reply_schema(metrics: Sequence[Metric]) -> dict[str, Any]:
    """The JSON schema of a judge's reply; the reason stands first, so that it is found before the score.

    The ends of the scale are only described: some servers refuse limits on numbers, and every reply is checked anyway.
    """
    score = {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "score": {"type": "integer", "description": f"from {JUDGE_SCALE.low} to {JUDGE_SCALE.high}"},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    }
    keys = [metric.key for metric in metrics]
    return {"type": "object", "properties": dict.fromkeys(keys, score), "required": keys, "additionalProperties": False}


def parse_judgement(reply: str, metrics: Sequence[Metric], *, notes: list[str] | None = None) -> dict[str, Score]:
    """The score of every metric by its key; raises ParseError if one is missing, and never guesses."""

    def read(value: Any) -> dict[str, Score]:
        answers = _answers(value, metrics)
        return {metric.key: _score(answers.get(metric.key), metric) for metric in metrics}

    return last_that_fits(reply, read, notes)


def _question(metric: Metric) -> dict[str, str]:
    return {
        "key": metric.key,
        "name": metric.name,
        "question": metric.definition,
        "low": metric.low,
        "high": metric.high,
    }


def _answers(value: Any, metrics: Sequence[Metric]) -> Mapping[str, Any]:
    """What a reply says on each metric, by the metric's key: an object by key or name, or a list of named entries.

    Either may stand inside a wrapper or two (`{"scores": …}`). ParseError where no metric is named at all.
    """
    for _ in range(WRAPPERS):
        found = _named_answers(value, metrics)
        if found:
            return found
        inner = [item for item in value.values() if isinstance(item, dict | list)] if isinstance(value, dict) else []
        if len(inner) != 1:
            break
        value = inner[0]
    raise unparsable("expected an object with a score and a reason under the key of every question.")


def _named_answers(value: dict[str, Any] | list[Any], metrics: Sequence[Metric]) -> dict[str, Any]:
    pairs = value.items() if isinstance(value, dict) else [(_label(entry), entry) for entry in value]
    found: dict[str, Any] = {}
    for label, answer in pairs:
        metric = _named(label, metrics)
        if metric is None:
            continue
        if metric.key in found:
            raise unparsable(f"{metric.key} is answered twice.")
        found[metric.key] = answer
    return found


def _label(entry: Any) -> Any:
    return _first(entry, ("key", "metric", "name", "question"))


def _named(label: Any, metrics: Sequence[Metric]) -> Metric | None:
    """The metric that goes by this key or name, however its words are joined."""
    if not isinstance(label, str):
        return None
    said = {label: True}
    return next((metric for metric in metrics if field(said, metric.key) or field(said, metric.name)), None)


def _score(answer: Any, metric: Metric) -> Score:
    given = _first(answer, ("score", "rating", "value")) if isinstance(answer, dict) else answer
    if given is None:
        raise ParseError(Outcome.SCORE_MISSING, f"{metric.key} has no score.")
    value = _whole_number(given)
    ends = f"{JUDGE_SCALE.low} to {JUDGE_SCALE.high}"
    if value is None:
        detail = f"the score of {metric.key} is not a whole number; it must be one from {ends}."
        raise ParseError(Outcome.SCORE_NOT_A_NUMBER, detail)
    if value not in JUDGE_SCALE:
        raise ParseError(Outcome.SCORE_OUT_OF_RANGE, f"the score of {metric.key} is not from {ends}.")
    reason = _first(answer, ("reason", "explanation", "rationale"))
    if not isinstance(reason, str) or not reason.strip():
        raise ParseError(Outcome.REASON_MISSING, f"{metric.key} has no reason; one sentence was asked for.")
    return Score(value, clean(reason, f"the reason for {metric.key}")[:REASON_LIMIT])


def _first(value: Any, names: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return None
    return next((found for name in names if (found := field(value, name)) is not None), None)


def _whole_number(given: Any) -> int | None:
    """90, 90.0, "90" and "90/100" are whole numbers; True, 90.5, "high" and NaN are not."""
    if isinstance(given, bool):
        return None
    if isinstance(given, int):
        return given
    if isinstance(given, float):
        return int(given) if given.is_integer() else None
    match = _NUMBER.fullmatch(given) if isinstance(given, str) else None
    return int(match[1]) if match else None
