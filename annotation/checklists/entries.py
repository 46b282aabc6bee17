"""A checklist as a value: its questions with what the record answers and what only authors can. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.markdown import markdown_lines, markdown_text


class Question(NamedTuple):
    """In the project's own words, under the number that it has in the checklist.

    `gap` is what to write where the record has no answer; `field` is its name in the checklist's own form.
    """

    number: str
    text: str
    gap: str = ""
    field: str = ""


class Answer(NamedTuple):
    """What the record says; `gap` is what is left to write beside it. `choices` are options to tick, each beginning
    with its number."""

    text: str = ""
    gap: str = ""
    choices: tuple[str, ...] = ()


def known_in_part(known: str, left: str) -> Answer:
    """What is known, if anything is, with what is left to write beside it."""
    return Answer(known, left) if known else Answer()


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer; `criterion` names the metric that it is about, if it is asked of each."""

    question: Question
    answer: Answer
    criterion: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.question.number,
            "question": self.question.text,
            **({"criterion": self.criterion} if self.criterion else {}),
            "choices": list(self.answer.choices),
            "answer": self.answer.text,
            "to_write": self.answer.gap,
        }


@dataclass(frozen=True, slots=True)
class Checklist:
    """`about` says where it comes from; `parts` are its headings with their entries."""

    slug: str
    title: str
    about: str
    parts: tuple[tuple[str, tuple[Entry, ...]], ...]

    @property
    def entries(self) -> Iterator[Entry]:
        for _, entries in self.parts:
            yield from entries

    @property
    def gaps(self) -> int:
        return sum(bool(entry.answer.gap) for entry in self.entries)

    def as_json(self) -> dict[str, Any]:
        parts = [{"heading": heading, "entries": [one.as_json() for one in some]} for heading, some in self.parts]
        return {"title": self.title, "about": self.about, "parts": parts}


def filled(questions: Iterable[Question], answers: Mapping[str, Answer], *, criterion: str = "") -> tuple[Entry, ...]:
    """The questions with their answers by number; one that says nothing leaves the question's own gap."""
    found = ((question, answers.get(question.number, Answer())) for question in questions)
    return tuple(
        Entry(question, answer if any(answer) else Answer(gap=question.gap), criterion) for question, answer in found
    )


def to_markdown(heading: str, notes: Iterable[str], checklists: Iterable[Checklist]) -> str:
    """One document, to copy into an appendix; gaps begin with “To write”."""
    blocks = [f"# {markdown_text(heading)}", *map(markdown_lines, notes)]
    for checklist in checklists:
        blocks += [f"## {markdown_text(checklist.title)}", markdown_lines(checklist.about)]
        for part, entries in checklist.parts:
            blocks.append(f"### {markdown_text(part)}")
            blocks += [block for entry in entries for block in _blocks(entry)]
    return "\n\n".join(blocks) + "\n"


def _blocks(entry: Entry) -> Iterator[str]:
    yield f"**{entry.question.number}** {markdown_text(entry.question.text)}"
    yield from (f"☑ {markdown_text(choice)}" for choice in entry.answer.choices)
    if entry.answer.text:
        yield markdown_lines(entry.answer.text)
    if entry.answer.gap:
        yield f"**To write:** {markdown_text(entry.answer.gap)}"
