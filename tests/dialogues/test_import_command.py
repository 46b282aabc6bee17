"""`import_dialogues` and `export_dialogues` as a shell sees them."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dialogues import importing
from dialogues.models import AuditEvent, Corpus
from tests.dialogues.files import PARLAI, line, write
from tests.dialogues.import_pages import WHATSAPP

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> tuple[str, str]:
    """(stdout, error): what the command printed and its one-line complaint, if any."""
    out = io.StringIO()
    complaint = ""
    try:
        call_command(*map(str, arguments), stdout=out, stderr=io.StringIO())
    except CommandError as error:
        complaint = f"{error}" if error.returncode == 1 else f"exit code {error.returncode}"
    return out.getvalue(), complaint


def test_json_is_one_object_with_the_counts(tmp_path: Path) -> None:
    out, error = run("import_dialogues", write(tmp_path, PARLAI), "--corpus", "small", "--json")
    said = json.loads(out)
    assert not error
    assert {name: said[name] for name in ("corpus", "format", "dialogues", "messages", "turns", "refused", "bad")} == {
        "corpus": "small",
        "format": "parlai",
        "dialogues": 1,
        "messages": 4,
        "turns": 4,
        "refused": 0,
        "bad": [],
    }
    assert (said["id"], len(said["sha256"])) == (Corpus.objects.get().pk, 64)
    assert said["lines"] == {"exchanges": 2}


def test_how_a_file_was_read_is_a_sentence_and_no_count(tmp_path: Path) -> None:
    chat = write(tmp_path, WHATSAPP, "chat.txt")
    fact = "Dates are read as day-month-year (a day above 12 shows it)."
    said = json.loads(run("import_dialogues", chat, "--corpus", "small", "--json", "--silence=8")[0])
    assert (said["dialogues"], said["facts"]) == (2, [fact])
    assert not any("dates" in name for name in said["lines"])
    Corpus.objects.all().delete()
    out, _ = run("import_dialogues", chat, "--corpus", "small")
    assert f"  {fact}\n" in out


def test_the_people_of_a_group_are_named_in_json(tmp_path: Path) -> None:
    group = "".join(f"31/12/20, 14:05 - {name}: hi\n" for name in ("Mary", "Tom", "Ann", "Tom"))
    out, error = run("import_dialogues", write(tmp_path, group, "chat.txt"), "--corpus", "small", "--json")
    assert json.loads(out)["bad"][0]["people"] == [["Tom", 2], ["Mary", 1], ["Ann", 1]]
    assert "nothing was imported" in error


def test_bad_input_ends_with_1_and_lists_rows_in_json(tmp_path: Path) -> None:
    out, error = run("import_dialogues", write(tmp_path, line("a") + "{\n"), "--corpus", "small", "--json")
    said = json.loads(out)
    assert "nothing was imported" in error
    assert (said["dialogues"], said["refused"], said["corpus"]) == (0, 1, None)
    assert [bad["row"] for bad in said["bad"]] == [2]
    assert not Corpus.objects.exists()


def test_a_refused_import_reports_zeros_throughout(tmp_path: Path) -> None:
    content = line("a", traits_1=["I bake."], traits_2=["I swim."], score=1) + line("b") + "{\n"
    for options in ([], ["--deduplicate"]):
        out, _ = run("import_dialogues", write(tmp_path, content), "--corpus", "small", "--json", *options)
        said = json.loads(out)
        counts = ("dialogues", "messages", "turns", "traits_1", "traits_2", "duplicates")
        assert {name: said[name] for name in counts} == dict.fromkeys(counts, 0)
        assert (said["versions"], said["lines"]) == ({}, {})
        assert (said["format"], said["refused"], len(said["bad"])) == ("jsonl", 1, 1)


def test_columns_of_a_csv_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "conv,who,said\nc1,A,Hi\nc1,B,Hello\n")
    columns = {"dialogue_id": "conv", "speaker": "who", "text": "said"}
    option = ",".join("=".join(pair) for pair in columns.items())
    out, error = run("import_dialogues", path, "--corpus", "small", "--json", "--columns", option)
    assert not error
    assert (json.loads(out)["dialogues"], json.loads(out)["messages"]) == (1, 2)
    assert AuditEvent.objects.get().detail["columns"] == columns


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--columns", "text"], "dialogue_id=NAME,speaker=NAME,text=NAME"),
        (
            ["--columns", "text=said", "--format", "parlai"],
            "Columns can be named for CSV or TSV, a message a row, not for ParlAI text",
        ),
    ],
)
def test_columns_that_cannot_be_meant_are_one_line(tmp_path: Path, options: list[str], expected: str) -> None:
    _, error = run("import_dialogues", write(tmp_path, PARLAI), "--corpus", "small", *options)
    assert expected in error
    assert not Corpus.objects.exists()


def test_skip_bad_says_how_many_were_left_out(tmp_path: Path) -> None:
    out, error = run("import_dialogues", write(tmp_path, line("a") + "{\n"), "--corpus", "small", "--skip-bad")
    assert not error
    assert "skipped as bad: 1" in out


def test_the_same_file_points_to_its_corpus(tmp_path: Path) -> None:
    path = write(tmp_path, PARLAI)
    run("import_dialogues", path, "--corpus", "small")
    out, error = run("import_dialogues", path, "--corpus", "other", "--json")
    assert "already here, as the corpus “small”" in error
    assert json.loads(out)["existing"]["corpus"] == "small"


def test_a_missing_file_is_one_line() -> None:
    assert run("import_dialogues", "/no/such/file", "--corpus", "small") == ("", "There is no file /no/such/file.")


def test_stdout_holds_nothing_but_json_and_progress_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_dialogues", str(write(tmp_path, PARLAI)), corpus="small", json=True)
    captured = capsys.readouterr()
    assert json.loads(captured.out)["dialogues"] == 1
    assert "Importing" in captured.err


def test_an_export_is_imported_again_the_same(tmp_path: Path) -> None:
    content = line("a") + line("a/γ", version="gamma", origin="a", parent="a", written_by="m", demo=True)
    run("import_dialogues", write(tmp_path, content), "--corpus", "small")
    out, _ = run("export_dialogues", "small")
    path = tmp_path / "out.jsonl"
    said, _ = run("export_dialogues", "small", "--output", path, "--json")
    assert json.loads(said)["dialogues"] == 2
    assert path.read_text() == out
    assert [json.loads(text).get("demo") for text in out.splitlines()] == [None, True]


def test_exporting_an_unknown_corpus_or_into_no_folder_is_one_line(tmp_path: Path) -> None:
    assert "There is no corpus yet" in run("export_dialogues", "none")[1]
    run("import_dialogues", write(tmp_path, PARLAI), "--corpus", "small")
    assert run("export_dialogues", "smal")[1] == "There is no corpus “smal”. Did you mean “small”?"
    assert "cannot be written" in run("export_dialogues", "small", "--output", tmp_path / "no" / "x.jsonl")[1]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(importing, "digest", denied)
    path = write(tmp_path, PARLAI)
    assert run("import_dialogues", path, "--corpus", "small") == ("", f"{path} cannot be read: Permission denied.")


def test_a_file_name_that_is_not_utf8_is_no_fault(tmp_path: Path) -> None:
    path = write(tmp_path, PARLAI, os.fsdecode(b"caf\xe9.txt"))
    assert run("import_dialogues", path, "--corpus", "small")[1] == ""
    assert Corpus.objects.get().file_name == "caf?.txt"


def test_a_licence_too_long_to_store_is_refused(tmp_path: Path) -> None:
    out, error = run("import_dialogues", write(tmp_path, PARLAI), "--corpus", "small", "--licence", "x" * 121)
    assert (out, error) == ("", "The licence is longer than 120 characters; put its text into the description.")
    assert not Corpus.objects.exists()


@pytest.mark.parametrize("people", ["Mary", "Mary,Mary", "Mary,", "Mary,Tom,Ann"])
def test_two_different_people_are_chosen_or_none(tmp_path: Path, people: str) -> None:
    with pytest.raises(CommandError, match="two different names"):
        call_command("import_dialogues", str(write(tmp_path, line("a"))), "--corpus=Chats", f"--people={people}")


@pytest.mark.parametrize("hours", ["nan", "inf", "0", "-1", "a day"])
def test_a_silence_has_a_length(tmp_path: Path, hours: str) -> None:
    with pytest.raises(CommandError, match="no number of hours above 0"):
        call_command("import_dialogues", str(write(tmp_path, line("a"))), "--corpus=Chats", f"--silence={hours}")


def test_one_of_each_is_told_in_the_singular(tmp_path: Path) -> None:
    out, _ = run("import_dialogues", write(tmp_path, line("a", messages=[[1, "Hi"]])), "--corpus", "small")
    assert "Corpus “small”: 1 dialogue, 1 message, 1 turn." in out


def test_masks_are_counted_in_words(tmp_path: Path) -> None:
    content = line("a", messages=[[1, "see https://example.org and write to a@example.org"]])
    out, _ = run("import_dialogues", write(tmp_path, content), "--corpus", "small", "--mask", "link,e-mail")
    assert "  links masked: 1\n" in out
    assert "  e-mail addresses masked: 1\n" in out


GROUP = "".join(f"31/12/20, 14:05 - {name}: hi\n" for name in ("Mary", "Tom", "Ann"))
UNCLEAR = "01/02/20, 14:05 - Mary: hi\n01/02/20, 14:06 - Tom: hi\n"
THREE = "".join(f"c,{name},hi\n" for name in "ABC")
ADVICE = {
    GROUP: "Choose two people to keep (on the import page, or by --people NAME,NAME).",
    UNCLEAR: "Say how dates are written (on the import page, or by --date-order).",
    f"dialogue_id,speaker,text\n{THREE}d,A,hi\n": (
        "Choose two people to keep (on the import page, or by --people NAME,NAME), or skip bad records."
    ),
    f"dialogue_id,speaker,text\n{THREE}d,A,hi\ne,,hi\n": (
        "Choose two people to keep (on the import page, or by --people NAME,NAME), or mend the file, or skip bad "
        "records."
    ),
    line("a") + "{\n": "Mend the file, or skip bad records.",
    "{}\n{\n" + line("a")[:20] + "\n": "Mend the file.",
}


@pytest.mark.parametrize("content", ADVICE)
def test_the_last_line_says_what_has_to_be_chosen_or_mended(content: str, tmp_path: Path) -> None:
    options = ["--format", "jsonl"] if content.startswith("{}") else []
    _, error = run("import_dialogues", write(tmp_path, content, "chat.txt"), "--corpus", "small", *options)
    assert error.endswith(f"nothing was imported. {ADVICE[content]}")


def test_names_from_right_to_left_do_not_move_the_counts_beside_them(tmp_path: Path) -> None:
    group = "".join(f"31/12/20, 14:05 - {name}: hi\n" for name in ("مريم", "Tom", "Ann"))
    out, _ = run("import_dialogues", write(tmp_path, group, "chat.txt"), "--corpus", "small", "--json")
    (bad,) = json.loads(out)["bad"]
    assert "“\u2068مريم\u2069” (1), “Tom” (1)" in bad["reason"]
    assert bad["people"][0] == ["مريم", 1]
    assert bad["choice"] == "people"
