"""ParlAI's dump of named fields: `text:…<tab>labels:…<tab>episode_done:True`, a line for each exchange.

`text` is the partner, speaker 1, and the first of the `labels` (or `eval_labels`) is the answer of speaker 2. A
backslash with an n stands for a line break. Persona lines at the front of the first text are traits, as in numbered
text. Rewards, candidates and other fields are not part of the dialogue. `episode_done:True` ends a dialogue.
"""

from collections.abc import Iterable, Iterator

from dialogues.formats.head import Head
from dialogues.formats.parlai import SILENCE, Draft
from dialogues.formats.reading import listed
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record

_LABELS = ("labels", "eval_labels")
_TOLD_BY = {*_LABELS, "text_candidates", "label_candidates", "episode_done", "reward"}


def fits(head: Head) -> str:
    names = _fields(next(iter(head.lines()), "")).keys()
    return f"tabs between the named fields {listed(names)}" if "text" in names and names & _TOLD_BY else ""


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record for each episode, keyed by its place in the file (`00001`, …).

    An episode that the file does not end is bad: the file was cut off, or `episode_done` is missing.
    """
    draft: Draft | None = None
    ordinal = row = 0
    for row, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if draft is None:
            ordinal += 1
            draft = Draft(row, f"{ordinal:05}")
        fields = _fields(line)
        if "text" not in fields and not draft.problem:
            draft.problem = draft.problem or BadRecord(
                row, f"no field text; the fields are {listed(fields)}", draft.key
            )
        draft.add_exchange(row, _said(fields))
        if fields.get("episode_done", "").strip() == "True":
            yield draft.finished()
            draft = None
    if draft:
        yield draft.problem or BadRecord(row, "the file ends before episode_done:True; get it whole", draft.key)


def _fields(line: str) -> dict[str, str]:
    parts = (part.partition(":") for part in line.strip("\r\n").split("\t"))
    return {name.strip(): value for name, colon, value in parts if colon}


def _said(fields: dict[str, str]) -> list[str]:
    """What the partner says and the first answer; a field without words is silence."""
    labels = next((fields[name] for name in _LABELS if fields.get(name)), "")
    said = fields.get("text", ""), labels.partition("|")[0]
    return [text if text.strip() else SILENCE for text in said]
