"""Example sets leave as JSON and come back the same; what is no set is refused with reasons, and nothing is written."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.json_documents import DocumentError
from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation import example_sets
from generation.curation import document
from generation.curation.content import Content
from generation.curation.document import Document, Entry, Named
from generation.curation.editing import add_example
from generation.curation.files import exported, import_set
from generation.curation.versions import freeze
from generation.models import Example, ExampleKind, ExampleSet
from tests.commands import said_by
from tests.generation.curated import TALK, draft_set, researcher, rewritten
from tests.generation.runs import small_corpus

pytestmark = pytest.mark.django_db

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
messages = st.lists(st.tuples(st.sampled_from([1, 2]), text.filter(str.strip)), min_size=1, max_size=4)
transcripts = messages.map(Transcript.of)
names = st.builds(Named, text, text, text)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def built(name: str = "Mine", kind: str = "step_by_step", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "examples": [{"messages": TALK}], **more}


def refused(value: Any) -> list[str]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(DocumentError) as error:
        import_set(data=data, by=None)
    assert not ExampleSet.objects.exists()
    return error.value.problems


@st.composite
def documents(draw: st.DrawFn) -> Document:
    kind = draw(st.sampled_from(document.KINDS))
    entries = []
    for before, after in draw(st.lists(st.tuples(transcripts, transcripts), max_size=3, unique_by=lambda two: two[0])):
        if kind == "further_split" and before == after:
            continue
        content = Content(
            before, after if kind == "further_split" else None, draw(text), draw(text),
            tuple(draw(st.lists(text, max_size=3))), (), draw(text),
        )  # fmt: skip
        operations = tuple(draw(st.lists(json_values, max_size=2)))
        entries.append(Entry(content, draw(text), None, draw(st.none() | names), operations))
    return Document(draw(text.filter(str.strip)).strip(), kind, draw(text), tuple(entries))


@given(documents())
def test_any_set_reads_back_from_its_document_as_itself(made: Document) -> None:
    written = json.dumps(made.to_json(version=3, frozen=True), ensure_ascii=False)
    assert document.read(written.encode()) == made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(documents())
def test_what_is_imported_is_exported_with_equal_content(made: Document) -> None:
    row = import_set(data=json.dumps(made.to_json(version=1, frozen=False)).encode(), by=None)
    again = document.read(exported(row).encode())
    assert [entry.content for entry in again.entries] == [entry.content for entry in made.entries]
    assert [entry.operations for entry in again.entries] == [entry.operations for entry in made.entries]
    assert (again.name, again.kind, again.note) == (made.name, made.kind, made.note)
    assert {entry.source for entry in again.entries} <= {"file"}


def test_notes_sources_and_steps_come_back_where_the_dialogues_are_here() -> None:
    corpus = small_corpus(2)
    source = Dialogue.objects.filter(corpus=corpus).earliest("pk")
    after = rewritten(corpus, source)
    row = draft_set(0, "further_split", "Pairs <b>&")
    steps = [{"op": "split", "by": "Otter", "at": "2026-01-01T10:00:00Z"}]
    add_example(
        example_set=row, by=None, messages=source.messages, messages_after=after.messages, source="restructuring",
        dialogue=source, dialogue_after=after, operations=steps, note="Because.", topic="walks", theme="T",
        traits_1=["a"], traits_2=["b"],
    )  # fmt: skip
    told = json.loads(exported(row))
    assert told["examples"][0]["dialogue_after"] == {"corpus": "Small", "key": "d0/stephanie", "version": "stephanie"}
    assert "id" not in json.dumps(told)
    again = import_set(data=exported(row).encode(), by=None)
    example = again.examples.get()
    assert (again.version, again.frozen_at, example.source) == (2, None, "restructuring")
    assert (example.dialogue, example.dialogue_after, example.operations) == (source, after, steps)
    assert exported(again) == exported(row).replace('"version": 1', '"version": 2')


def test_without_its_dialogue_an_example_comes_from_a_file() -> None:
    named = {"corpus": "Elsewhere", "key": "d1", "version": "gamma"}
    value = built(examples=[{"messages": TALK, "source": "run", "dialogue": named}])
    example = import_set(data=json.dumps(value).encode(), by=None).examples.get()
    assert (example.source, example.dialogue) == ("file", None)


def test_the_files_that_ship_can_be_imported() -> None:
    for kind in ExampleKind.values:
        row = import_set(data=(example_sets.FOLDER / f"{kind}.json").read_bytes(), by=None, name="Again")
        assert (row.kind, row.examples.count()) == (kind, 5)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"name": "a"', "line 1, column 13"),
        (b"[1]", "one JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"name": NaN}', "NaN is not a number"),
        (built(name=" "), "name must be"),
        (built(name="x" * 121), "name must be"),
        (built(name="a\x00b"), "name must be"),
        (built(kind="four_step"), "kind must be one of"),
        (built(kind=["x"]), "kind must be one of"),
        (built(note="\ud83d"), "note must be"),
        (built(examples="x"), "examples must be a list"),
        (built(examples=[{"messages": TALK}] * 1000), "1,000 examples"),
        (built(format="other"), "format must be"),
        (built(format_version=9), "newer"),
        (built(examples=["x"]), "Example 1: it must be an object"),
        (built(examples=[{}]), "Example 1: messages are missing"),
        (built(examples=[{"messages": []}]), "at least one message"),
        (built(examples=[{"messages": "ab"}]), "expected [speaker, text]"),
        (built(examples=[{"messages": None}]), "not a list"),
        (built(examples=[{"messages": {"a": 1}}]), "expected [speaker, text]"),
        (built(examples=[{"messages": [[3, "x"]]}]), "speaker must be 1 or 2"),
        (built(examples=[{"messages": [[True, "x"]]}]), "speaker must be 1 or 2"),
        (built(examples=[{"messages": [[1, "a\x00"]]}]), "NUL"),
        (built(examples=[{"messages": [[1, "\ud83d"]]}]), "surrogate"),
        (built(examples=[{"messages": TALK, "messages_after": TALK}]), "only further-split pairs"),
        (built(kind="further_split"), "needs the dialogue before and after"),
        (built(examples=[{"messages": TALK, "theme": 7}]), "theme must be text"),
        (built(examples=[{"messages": TALK, "topic": "x" * 61}]), "topic is longer"),
        (built(examples=[{"messages": TALK, "traits_1": "abc"}]), "traits_1 must be a list"),
        (built(examples=[{"messages": TALK, "traits_1": [1]}]), "traits_1 must be text"),
        (built(examples=[{"messages": TALK, "traits_1": ["x"] * 51}]), "at most 50"),
        (built(examples=[{"messages": TALK, "source": 1}]), "source must be text"),
        (built(examples=[{"messages": TALK, "operations": {}}]), "operations: must be a list"),
        (built(examples=[{"messages": TALK, "operations": ["\x00"]}]), "operations: text contains a NUL"),
        (built(examples=[{"messages": TALK, "dialogue": "d1"}]), "dialogue must name"),
        (built(examples=[{"messages": TALK, "dialogue": {"corpus": 1}}]), "dialogue must name"),
        (built(examples=[{"messages": TALK}, {"messages": TALK}]), "Example 2: the same text as example 1"),
        (
            json.dumps(built(examples=[{"messages": TALK, "operations": [1]}])).replace("[1]}", "[1e999]}").encode(),
            "number is too large",
        ),
    ],
)
def test_a_bad_file_gives_its_reason_and_nothing_is_written(value: Any, reason: str) -> None:
    assert reason in " ".join(refused(value))


def test_every_bad_example_is_named_up_to_twenty() -> None:
    problems = refused(built(examples=[{"messages": [[1, " "]]} for _ in range(30)]))
    assert problems[0] == "Example 1: message 1: text is empty."
    assert (len(problems), problems[-1]) == (21, "And 10 more.")


def test_operations_nested_beyond_reason_are_refused() -> None:
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    assert "nested too deeply" in refused(built(examples=[{"messages": TALK, "operations": [deep]}]))[0]


def test_a_researcher_exports_and_imports_on_the_pages() -> None:
    anna, client = researcher()
    row = draft_set(2)
    answer = client.get(reverse("generation:set_export", args=[row.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="mine-step_by_step-v1.json"'
    upload = {"file": SimpleUploadedFile("x.json", answer.content), "name": "Other", "once": "k"}
    first = client.post(reverse("generation:set_import"), upload)
    upload["file"].seek(0)
    assert client.post(reverse("generation:set_import"), upload)["Location"] == first["Location"]
    made = ExampleSet.objects.get(name="Other")
    assert (made.created_by, made.examples.count()) == (anna, 2)
    bad = client.post(reverse("generation:set_import"), {"file": SimpleUploadedFile("x.json", b"{}")})
    assert bad.status_code == 422
    assert "examples must be a list." in bad.content.decode()


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(DocumentError, match="larger than 10 MB"):
        import_set(data=b" " * (10 * 2**20 + 1), by=None)


run = partial(said_by, "example_set")


def test_the_command_lists_exports_imports_clones_and_freezes(tmp_path: Path) -> None:
    row = draft_set(2)
    freeze(example_set=draft_set(1, name="Copy"), by=None)
    ExampleSet.objects.filter(name="Copy").update(parent=row)
    ExampleSet.objects.create(name="Snap", kind="step_by_step", snapshot_of=row)
    listed = run("list", "--json")["sets"]
    assert [(one["name"], one["examples"]) for one in listed] == [("Copy", 1), ("Mine", 2)]
    assert "frozen" in run("list", "--kind", "step_by_step")
    path = tmp_path / "set.json"
    run("export", row.pk, "--output", path)
    assert json.loads(path.read_text())["name"] == "Mine"
    assert json.loads(run("export", row.pk)) == json.loads(path.read_text())
    made = run("import", path, "--json")
    assert (made["name"], made["version"]) == ("Mine", 2)
    cloned = run("clone", made["id"], "--name", "Third", "--json")
    assert (cloned["version"], cloned["parent"]) == (1, made["id"])
    assert run("freeze", made["id"], "--json")["frozen_at"]
    assert "frozen already" in run("freeze", made["id"])


def test_the_command_refuses_with_words(tmp_path: Path) -> None:
    row = draft_set(0)
    path = tmp_path / "bad.json"
    path.write_text('{"name": "x", "kind": "y"}')
    for arguments, reason in (
        (("import", path), "examples must be a list"),
        (("import", tmp_path / "none.json"), "cannot be read"),
        (("export", 999), "There is no example set 999"),
        (("export", row.pk, "--output", path), "exists"),
        (("export", row.pk, "--json"), "needs --output"),
        (("export", row.pk, "--output", tmp_path / "no" / "x.json"), "cannot be written"),
        (("freeze", row.pk), "no example yet"),
        (("clone", row.pk, "--name", "x" * 121), "at most 120"),
    ):
        with pytest.raises(CommandError, match=reason):
            run(*arguments)
    assert Example.objects.count() == 0
