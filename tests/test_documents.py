"""The documents hold what the code has: states, models, words, commands, and paths that exist.

`tests/config/test_settings.py` does the same for settings.
"""

import importlib
import json
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.db.models import Choices, Model

from annotation.roles import Role
from dialogues import reference, rubric
from dialogues.audit import AuditVerb
from dialogues.formats.registry import FORMATS
from docs import call_states
from docs.call_states import READ
from generation.endpoints.client import Trouble
from generation.engine import reading, rereading, retrying
from generation.models import Call, Endpoint, Run
from generation.parsing import Outcome
from tests.generation.calls import answer, claim, trouble
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started

ROOT = Path(__file__).resolve().parents[1]
APPS = ("core", "dialogues", "generation", "annotation", "config", "demo")
# Each a row of the table of contents or a page that it leads to.
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/decisions").glob("*.md")),
    *sorted((ROOT / "docs/method").glob("*.md")),
]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
# Words in capitals that stand for whatever a reader puts there.
PLACEHOLDERS = {"NAME", "CODE", "ROOM"}
IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
MODULE = re.compile(rf"(?<![\w./-])(?:{'|'.join(APPS)}|tests|docs)(?:\.\w+)+")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ENDINGS = (".py", ".md", ".html", ".css", ".js", ".toml", ".json", ".yaml")


@cache
def text_of(name: str) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@cache
def source() -> str:
    """All of the product's Python."""
    return "\n".join(path.read_text("utf-8") for app in APPS for path in sorted((ROOT / app).rglob("*.py")))


# --- one call's life ------------------------------------------------------------------------------


def test_the_architecture_holds_the_states_and_outcomes_that_the_code_has() -> None:
    page = call_states.PAGE.read_text(encoding="utf-8")
    found = call_states.BLOCK.search(page)
    assert found is not None
    assert found[0] == call_states.made(), "run python -m docs.call_states"


def test_no_state_and_no_outcome_of_a_call_is_missing_from_the_architecture() -> None:
    drawn = {state for move in call_states.moves() for state in move[:2]}
    assert drawn == {*Call.State.values, READ, "[*]"}
    listed = set(call_states.outcomes())
    assert listed >= {*Outcome, reading.NOT_READ, reading.NOT_STORED}
    # These send a call back in line or pause its run; no call ends with one of them.
    assert set(Trouble) - listed == {Trouble.RATE_LIMITED, Trouble.QUOTA, Trouble.AUTH}


@pytest.mark.parametrize("name", NAMES)
def test_the_words_beside_an_arrow_are_words_that_mermaid_can_draw(name: str) -> None:
    arrows = re.findall(r"^ +.* --> \S+ : (.*)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert [words for words in arrows if re.search("[:;]", words)] == []


THEME = json.dumps({"theme": " ".join(["Theme", *["hills"] * 59])})
OTHER_THEME = json.dumps({"theme": " ".join(["Other", *["hills"] * 59])})


@pytest.mark.django_db
def test_the_moves_that_need_a_database_are_made_there(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = endpoint_at(NOWHERE)
    made = [*unanswered(endpoint), *answered(endpoint, monkeypatch)]
    listed = [*call_states.BY_THE_LEDGER, *call_states.BY_A_PERSON]
    assert {move[:2] for move in listed} == set(made)


def newest(run: Run) -> str:
    return call_states.state_of(run.calls.latest("pk"))


def unanswered(endpoint: Endpoint) -> Iterator[Sequence[str]]:
    """What a person makes of a call that was not answered."""
    run = started(small_corpus(1, "Unanswered"), endpoint, stages=["theme"], ambiguous_policy=Run.AmbiguousPolicy.HOLD)
    yield "[*]", newest(run)
    for resend in (True, False):
        before = newest(run)
        (call,) = claim(endpoint)
        yield before, newest(run)
        held = call_states.state_of(trouble(call, Trouble.AMBIGUOUS))
        assert retrying.decide(run, resend=resend) == 1
        yield held, newest(run)
    before = newest(run)
    assert (retrying.retry(run), run.calls.count()) == (1, 1)
    yield before, newest(run)
    trouble(*claim(endpoint), Trouble.REJECTED)


def answered(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sequence[str]]:
    """What a person makes of a call that was answered."""
    run = started(small_corpus(1, "Answered"), endpoint, stages=["theme"])
    for _ in range(3):
        answer(*claim(endpoint), "Nonsense!")
        reading.read_all()
    assert (retrying.retry(run), run.calls.count()) == (1, 4)
    yield "[*]", newest(run)
    for _ in range(3):
        answer(*claim(endpoint), "Nonsense!")
        reading.read_all()
    for reply in (THEME, OTHER_THEME):
        before = newest(run)
        run.calls.filter(pk=run.calls.latest("pk").pk).update(raw_reply=reply)
        with monkeypatch.context() as in_between:
            in_between.setattr(reading, "read_replies", lambda keys: 0)
            assert rereading.reread(run) == 1
            yield before, newest(run)
        reading.read_all()
    before = newest(run)
    run.calls.filter(pk=run.calls.latest("pk").pk).update(raw_reply="Nonsense!")
    assert rereading.reread(run) == 1
    yield before, newest(run)


# --- the glossary ---------------------------------------------------------------------------------


@cache
def terms() -> list[list[str]]:
    """The cells of every row of the glossary."""
    rows = [line for line in text_of("docs/glossary.md").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def rows_of(name: str) -> list[list[str]]:
    return [cells for cells in terms() if len(cells) == 3 and f"`{name}`" in cells[1]]


def models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in APPS]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_model_is_a_term(model: type[Model]) -> None:
    named = [cells[0].lower() for cells in rows_of(model.__name__)]
    assert any(str(model._meta.verbose_name).lower() in name for name in named)


def families_of(parent: type[Enum]) -> Iterator[type[Enum]]:
    for child in parent.__subclasses__():
        yield from families_of(child)
        if child.__module__.split(".")[0] in APPS:
            yield child


# The verbs of the audit trail have a table of their own.
WORDED = sorted({*families_of(Choices), Role, Trouble} - {AuditVerb}, key=lambda one: one.__qualname__)


@pytest.mark.parametrize("choices", WORDED, ids=lambda one: one.__qualname__)
def test_every_state_kind_role_and_purpose_is_a_term(choices: type[Enum]) -> None:
    rows = rows_of(choices.__qualname__)
    assert rows, f"docs/glossary.md has no row of {choices.__qualname__}"
    missing = [one.value for one in choices if f"`{one.value}`" not in " ".join(rows[0])]
    assert missing == []


@pytest.mark.parametrize("word", [*(row[0] for row in reference.VERSIONS), *(one.key for one in rubric.PAPER_SIX)])
def test_every_version_and_every_metric_of_the_paper_is_a_term(word: str) -> None:
    assert any(f"`{word}`" in " ".join(cells) for cells in terms())


def test_the_audit_trails_verbs_are_those_that_the_code_has() -> None:
    table = text_of("docs/glossary.md").partition("## What the audit trail records")[2]
    assert set(re.findall(r"`([\w.]+)`", table)) == set(AuditVerb.values)


def test_what_the_glossary_calls_a_thing_in_the_code_is_there() -> None:
    named = {name for cells in terms() if len(cells) == 3 for name in re.findall(r"`([\w.]+)`", cells[1])}
    parts = {part for name in named for part in name.split(".")}
    assert {part for part in parts if not re.search(rf"\b{part}\b", source())} == set()


@pytest.mark.parametrize("form", FORMATS)
def test_every_file_form_is_described(form: str) -> None:
    assert re.search(rf"^\|.*\| `{form}` \|", text_of("docs/formats.md"), re.MULTILINE)


# --- commands, paths, links -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(name for name, app in get_commands().items() if app in APPS))
def test_every_command_is_in_a_document(name: str) -> None:
    said = re.compile(rf"(?:`|manage\.py ){name}\b")
    assert any(said.search((ROOT / document).read_text(encoding="utf-8")) for document in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_path_that_a_document_names_is_there(name: str) -> None:
    folders = {path.name for path in ROOT.iterdir()} - {"var"}
    missing = set()
    for token in IN_BACKTICKS.findall(text_of(name)):
        path = token.split(" ")[0]
        looks_like_one = re.fullmatch(r"[\w.][\w.-]*(/[\w.-]+)*/?", path) and "/" in path
        if not looks_like_one or not (path.endswith(ENDINGS) or path.split("/")[0] in folders):
            continue
        if not PLACEHOLDERS & set(re.split(r"[/._]", path)) and not (ROOT / path).exists():
            missing.add(path)
    assert missing == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_module_and_name_in_it_that_a_document_names_is_there(name: str) -> None:
    found = {one for token in IN_BACKTICKS.findall(text_of(name)) for one in MODULE.findall(token)}
    assert {one for one in found if not PLACEHOLDERS & set(one.split(".")) and not is_there(one)} == set()


def is_there(dotted: str) -> bool:
    """Whether it is a module, or a name in one."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        if path.with_suffix(".py").exists() or path.is_dir():
            value: object = importlib.import_module(".".join(parts[:end])) if end < len(parts) else None
            for part in parts[end:]:
                value = getattr(value, part, None)
                if value is None:
                    return False
            return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_brackets_behind_a_path_stands_in_that_file(name: str) -> None:
    found = re.findall(r"`([\w./]+\.py)` \(`(\w+)`", text_of(name)) + [
        (path, word) for word, path in re.findall(r"`(\w+)` in `([\w./]+\.py)`", text_of(name))
    ]
    assert [(path, word) for path, word in found if word not in (ROOT / path).read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    for link in LINK.findall(text_of(name)):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(path: Path) -> set[str]:
    """The names that headings have in addresses."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_readme_links_to_every_document() -> None:
    linked = set(LINK.findall(text_of("README.md")))
    rest = {name for name in NAMES if "decisions/" not in name} | {"docs/decisions/README.md"}
    assert rest - linked == {"README.md"}


def test_every_decision_is_listed_and_says_why_what_and_what_follows() -> None:
    pages = sorted(path for path in (ROOT / "docs/decisions").glob("*.md") if path.name != "README.md")
    assert sorted(LINK.findall(text_of("docs/decisions/README.md"))) == [path.name for path in pages]
    for path in pages:
        heads = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert heads == ["Context", "Decision", "Consequences"], path.name
