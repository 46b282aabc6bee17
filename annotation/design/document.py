"""A study's design as a JSON document, for export and import (docs/studies.md). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.chats.plan import ChatPlan
from annotation.design.chat_document import System, read_plan, read_systems
from annotation.design.plan import AnalysisPlan
from annotation.design.plan import read_plan as read_analysis_plan
from core.json_documents import DocumentError, read_object
from dialogues.rubric import Metric, Scale, from_json, problems_of, to_json
from dialogues.transcript import text_problem

FORMAT = "stephanie-study-design"
FORMAT_VERSION = 1
KINDS = ("scores", "pairs", "chats")
WITHDRAWALS = ("keep", "remove")
PURPOSES = ("training", "gold", "attention")
HIGHEST = 2**31 - 1
MOST_REPEATS = 50
MOST_PASSED = 100


@dataclass(frozen=True, slots=True)
class Questions:
    """A rubric with its name here and all its questions, so that it can be recreated elsewhere."""

    slug: str
    name: str
    scale: Scale
    metrics: tuple[Metric, ...]

    def to_json(self) -> dict[str, Any]:
        rows = [{key: value for key, value in row.items() if value or value == ""} for row in to_json(self.metrics)]
        return {"slug": self.slug, "name": self.name, "scale": [self.scale.low, self.scale.high], "metrics": rows}


@dataclass(frozen=True, slots=True)
class Check:
    """A training, gold or attention item, with its dialogues' keys in the corpus."""

    purpose: str
    dialogue: str
    expected: Mapping[str, int]
    other: str | None = None
    tolerance: int = 1
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in ("purpose", "dialogue", "other", "tolerance", "note")}
        return {**row, "expected": dict(self.expected)}


@dataclass(frozen=True, slots=True)
class Field:
    """One plain value: its check, the check in words, its default, and whether it is required."""

    fits: Callable[[Any], bool]
    says: str
    default: Any = None
    is_needed: bool = False


def _text(most: int) -> Field:
    def fits(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= most and not text_problem(value)

    return Field(fits, f"text of at most {most:,} characters", "")


def _name(default: str = "") -> Field:
    plain = _text(120)
    return Field(lambda v: plain.fits(v) and bool(v.strip()), "text of 1 to 120 characters", default, not default)


def _number(low: int, high: int, *, default: Any = None, or_none: bool = True) -> Field:
    def fits(value: Any) -> bool:
        return (or_none and value is None) or (_is_whole(value) and low <= value <= high)

    return Field(fits, f"a whole number from {low:,} to {high:,}" + (", or null" if or_none else ""), default)


def _one_of(*values: str) -> Field:
    return Field(lambda v: isinstance(v, str) and v in values, "one of " + ", ".join(values), values[0])


def _switch(default: bool) -> Field:
    return Field(lambda v: isinstance(v, bool), "true or false", default)


def _are_sources(value: Any) -> bool:
    """Whether the value is lists of numbers by name; whether the corpus has them is checked against the database."""
    return isinstance(value, dict) and all(
        isinstance(keys, list) and all(_is_whole(key) and 0 < key <= HIGHEST for key in keys) for keys in value.values()
    )


# In the order of the steps. Every name except `corpus` is a field of the study.
FIELDS: dict[str, Field] = {
    "name": _name(),
    "public_name": _name("Dialogue rating"),
    "kind": _one_of(*KINDS),
    "corpus": _name(),
    "writer": _text(200),
    "sources": Field(_are_sources, 'an object like {"run": [12]}: numbers of runs, sets or prompts', {}),
    "background_count": _number(1, HIGHEST),
    "seed": _number(0, HIGHEST, default=1, or_none=False),
    "tidy_display": _switch(True),
    "raters_per_item": _number(1, 100),
    "minutes_estimate": _number(1, 6000),
    "break_every": _number(5, 240),
    "pay_note": _text(300),
    "guidelines": _text(50_000),
    "consent_text": _text(50_000),
    "withdrawal": _one_of(*WITHDRAWALS),
    "least_passed": _number(1, MOST_PASSED),
    "most_lapses": _number(0, 100),
    "counts_screened_out": _switch(False),
    "hidden_repeats": _number(0, MOST_REPEATS, default=0, or_none=False),
    "approval_number": _text(120),
    "recruitment": _text(300),
    "retention": _text(300),
    "is_simulated": _switch(False),
}
OWN = ("format", "format_version", "versions", "pairs", "systems", "conversation", "rubric", "checks", "analysis_plan")


@dataclass(frozen=True, slots=True)
class Design:
    """A whole design: `fields` has every name of FIELDS; `rubric` is a slug or the questions themselves."""

    fields: Mapping[str, Any]
    versions: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    rubric: str | Questions
    checks: tuple[Check, ...] = ()
    # Of a study of chats; its versions follow from the systems.
    systems: tuple[System, ...] = ()
    plan: ChatPlan | None = None
    # With systems by name, as in `systems`; other versions by slug.
    analysis_plan: AnalysisPlan | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **{name: self.fields[name] for name in FIELDS},
            "versions": list(self.versions),
            "pairs": [list(pair) for pair in self.pairs],
            **self._chats_to_json(),
            "rubric": self.rubric if isinstance(self.rubric, str) else self.rubric.to_json(),
            "checks": [check.to_json() for check in self.checks],
            **({"analysis_plan": self.analysis_plan.as_json()} if self.analysis_plan else {}),
        }

    def _chats_to_json(self) -> dict[str, Any]:
        if self.plan is None:
            return {}
        return {"systems": [system.to_json() for system in self.systems], "conversation": self.plan.as_json()}


def read(data: bytes) -> Design:
    """Read a design from a document; raises DocumentError with every fault."""
    found = read_object(data, "A design is one JSON object.")
    problems: list[str] = []
    if found.get("format", FORMAT) != FORMAT:
        raise DocumentError([f"This is not a study design: its format is {found['format']!r}."])
    if found.get("format_version", FORMAT_VERSION) != FORMAT_VERSION:
        raise DocumentError(["The file was written by a later release. Upgrade this one to read it."])
    problems += [f"There is no part called {name[:40]!r}." for name in found if name not in FIELDS and name not in OWN]
    fields = {name: found.get(name, field.default) for name, field in FIELDS.items()}
    for name, field in FIELDS.items():
        if field.is_needed and name not in found:
            problems.append(f"{name} is missing.")
        elif not field.fits(fields[name]):
            problems.append(f"{name} must be {field.says}.")
    pairs = _pairs(found.get("pairs", []), fields["kind"], problems)
    versions = _versions(found, pairs, fields["kind"], problems)
    rubric = _rubric(found.get("rubric", "paper-six"), problems)
    checks = _checks(found.get("checks", []), fields["kind"], problems)
    systems, plan = _chats(found, fields, problems)
    analysis_plan = read_analysis_plan(found.get("analysis_plan"), problems)
    if problems:
        raise DocumentError(problems)
    return Design(fields, versions, pairs, rubric, checks, systems, plan, analysis_plan)


def _chats(
    found: dict[str, Any], fields: Mapping[str, Any], problems: list[str]
) -> tuple[tuple[System, ...], ChatPlan | None]:
    """The systems and the plan of a study of chats, which reads no written dialogues."""
    if fields["kind"] != "chats":
        given = [name for name in ("systems", "conversation") if found.get(name)]
        problems += [f"{name}: only a study of the kind chats has this." for name in given]
        return (), None
    for name in ("writer", "sources", "checks", "least_passed", "hidden_repeats"):
        if found.get(name):
            problems.append(f"{name}: a study of chats has no written dialogues.")
    return read_systems(found.get("systems"), problems), read_plan(found.get("conversation", {}), problems)


def _versions(
    found: dict[str, Any], pairs: tuple[tuple[str, str], ...], kind: Any, problems: list[str]
) -> tuple[str, ...]:
    if kind == "pairs":
        return tuple(sorted({slug for pair in pairs for slug in pair}))
    if kind == "chats":
        return ()
    given = found.get("versions", [])
    if not _is_list_of_names(given) or not given or len(set(given)) != len(given):
        problems.append("versions must be a list of versions, like alpha and stephanie, each once.")
        return ()
    return tuple(sorted(given))


def _pairs(given: Any, kind: Any, problems: list[str]) -> tuple[tuple[str, str], ...]:
    if kind != "pairs":
        if given:
            problems.append("pairs belong to a study of the kind pairs.")
        return ()
    if not isinstance(given, list) or not given:
        problems.append("pairs must be a list of pairs of versions.")
        return ()
    pairs = [tuple(pair) for pair in given if _is_list_of_names(pair) and len(pair) == 2 and pair[0] != pair[1]]
    if len(pairs) != len(given) or len({frozenset(pair) for pair in pairs}) != len(given):
        problems.append("pairs must be two different versions each, every two of them once.")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _rubric(given: Any, problems: list[str]) -> str | Questions:
    if isinstance(given, str):
        return given
    try:
        low, high = given["scale"]
        made = Questions(given["slug"], given["name"], Scale(low, high), from_json(given["metrics"]))
        faults = problems_of(made.metrics, made.scale)
    except (TypeError, KeyError, ValueError, AttributeError):
        problems.append("rubric must be the slug of one, or an object with slug, name, scale and metrics.")
        return ""
    if not (_fits_text(made.slug, 50) and _fits_text(made.name, 120)):
        faults = [*faults, "slug and name are short texts."]
    problems += [f"rubric: {fault}" for fault in faults]
    return made


def _checks(given: Any, kind: Any, problems: list[str]) -> tuple[Check, ...]:
    if not isinstance(given, list):
        problems.append("checks must be a list.")
        return ()
    made = []
    for number, row in enumerate(given, 1):
        check = _check(row)
        if check is None:
            problems.append(f"checks, number {number}: it needs a purpose, a dialogue and expected points.")
        elif (kind == "pairs") != (check.other is not None):
            problems.append(f"checks, number {number}: a study of pairs asks for two dialogues, every other for one.")
        else:
            made.append(check)
    return tuple(made)


def _check(row: Any) -> Check | None:
    try:
        check = Check(**row)
    except TypeError:
        return None
    fits = (
        check.purpose in PURPOSES
        and _fits_text(check.dialogue, 200)
        and (check.other is None or _fits_text(check.other, 200))
        and isinstance(check.expected, dict)
        and bool(check.expected)
        and all(_is_whole(value) and abs(value) <= 1000 for value in check.expected.values())
        and _is_whole(check.tolerance)
        and 0 <= check.tolerance <= 100
        and isinstance(check.note, str)
        and not text_problem(check.note)
        and all(not text_problem(key) for key in check.expected)
    )
    return check if fits else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fits_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and not text_problem(value)


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list) and all(_fits_text(one, 40) for one in value)
