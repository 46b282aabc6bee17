"""A file becomes a corpus: all of it, or nothing."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from annotation.roles import Role
from core.database import bulk
from dialogues import importing
from dialogues.audit import AuditVerb
from dialogues.exporting import jsonl_lines
from dialogues.formats import parlai
from dialogues.importing import ImportRefusedError, Source, import_file
from dialogues.models import AuditEvent, Corpus, Dialogue
from tests.dialogues.files import PARLAI, bring_in, line, write
from tests.people import make_user

pytestmark = pytest.mark.django_db

FAMILY = (
    line("a", traits_1=["I bake."], traits_2=["I swim."])
    + line("b")
    + line("a/β", version="beta", origin="a", parent="a", theme="A walk.", written_by="model-1")
    + line("a/γ", version="gamma", origin="a", parent="a", written_by="model-1", demo=True)
    + line("a/s", version="stephanie", origin="a", parent="a/γ", written_by="model-2")
)


def test_the_real_validation_file_gives_its_published_counts(shared_data: Path) -> None:
    path = shared_data / "personachat" / "valid_both_original_no_cands.txt"
    imported = import_file(Source(path, path.name), name="valid", by=None)
    report = imported.report
    assert (report.dialogues, report.messages, report.turns) == (1000, 15_602, 15_602)
    assert (report.traits_2, report.traits_1) == (4483, 4495)
    assert report.tally["exchanges"] == 7801
    totals = imported.corpus.dialogues.totals()
    assert (totals["dialogues"], totals["message_count"]) == (1000, 15_602)
    assert round(totals["whitespace_tokens"] / totals["message_count"], 4) == 11.7116
    assert totals["turns_of_1"] == totals["turn_count"] == 15_602


def test_the_real_synthetic_file_gives_a_dialogue_a_row(shared_data: Path) -> None:
    path = shared_data / "synthetic-persona-chat" / "Synthetic-Persona-Chat_valid.csv"
    report = import_file(Source(path, path.name), name="spc", by=None).report
    assert (report.file_format, report.dialogues, report.refused) == ("spc", 1000, 0)
    assert (report.tally["plain_labels"], report.messages) == (27_704, 27_777)


def test_the_corpus_knows_its_file_and_who_brought_it(tmp_path: Path) -> None:
    user = make_user(Role.RESEARCHER)
    corpus = bring_in(tmp_path, PARLAI, by=user, licence="CC0").corpus
    assert (corpus.file_format, corpus.file_name, corpus.licence, corpus.created_by) == (
        "parlai",
        "file.txt",
        "CC0",
        user,
    )
    event = AuditEvent.objects.get()
    assert (event.actor, event.verb, event.subject) == (user, AuditVerb.CORPUS_IMPORTED, f"corpus:{corpus.pk}")
    assert (event.detail["dialogues"], event.detail["sha256"]) == (1, corpus.sha256)


def test_the_same_file_is_refused_with_a_pointer_to_its_corpus(tmp_path: Path) -> None:
    corpus = bring_in(tmp_path, PARLAI).corpus
    with pytest.raises(ImportRefusedError, match="already here, as the corpus “corpus”") as refused:
        bring_in(tmp_path, PARLAI, name="another")
    assert refused.value.corpus == corpus


def test_a_name_that_is_taken_is_refused_and_nothing_is_added(tmp_path: Path) -> None:
    corpus = bring_in(tmp_path, PARLAI).corpus
    with pytest.raises(ImportRefusedError, match="never adds to one"):
        bring_in(tmp_path, PARLAI * 2)
    assert corpus.dialogues.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\nb", "a\x00b"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImportRefusedError, match="needs a name"):
        bring_in(tmp_path, PARLAI, name=name)


def test_one_bad_record_keeps_everything_out_and_all_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="2 records are bad, so nothing was imported") as refused:
        bring_in(tmp_path, line("a") + "{\n" + line("b") + line("a"))
    assert [(bad.row, bad.key) for bad in refused.value.report.bad] == [(2, ""), (4, "a")]
    assert not Corpus.objects.exists()
    assert not Dialogue.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_bad_record_after_whole_batches_still_keeps_everything_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    with pytest.raises(ImportRefusedError):
        bring_in(tmp_path, "".join(map(line, range(5))) + "{\n")
    assert not Dialogue.objects.exists()


def test_skipping_bad_records_imports_the_rest_and_counts_them(tmp_path: Path) -> None:
    imported = bring_in(tmp_path, line("a") + "{\n" + line("b"), skip_bad=True)
    assert (imported.report.dialogues, imported.report.refused) == (2, 1)
    assert set(imported.corpus.dialogues.values_list("key", flat=True)) == {"a", "b"}


def test_skipping_bad_records_never_stores_a_dialogue_cut_short(tmp_path: Path) -> None:
    """Rows sorted by time: what stands together of each dialogue is not the dialogue, and a bad row is of any."""
    rows = "dialogue_id,speaker,text\n" + "".join(f"d{n},{who},x\n" for who in "AB" for n in range(3))
    with pytest.raises(ImportRefusedError, match="may belong to any dialogue"):
        bring_in(tmp_path, rows + "broken\n", skip_bad=True)
    assert not Corpus.objects.exists()
    imported = bring_in(tmp_path, rows, skip_bad=True)
    assert [len(row.messages) for row in imported.corpus.dialogues.all()] == [2, 2, 2]
    assert imported.report.tally == {"dialogues_whose_rows_stood_apart": 3}


def test_a_batch_ends_at_its_characters_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    insert = bulk.insert
    monkeypatch.setattr(bulk, "insert", lambda rows: (sizes.append(len(rows)), insert(rows)))
    monkeypatch.setattr(importing, "BATCH_CHARACTERS", 20)
    bring_in(tmp_path, "".join(map(line, range(5))))
    assert sizes == [2, 2, 1]


def test_a_key_that_no_database_takes_is_counted_under_what_can_be_shown(tmp_path: Path) -> None:
    report = bring_in(tmp_path, line("a", **{"\ud83d\x00": 1})).report
    assert report.tally == {"ignored_key \ufffd\ufffd": 1}


def test_a_file_of_nothing_but_bad_records_makes_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="no dialogue that could be imported"):
        bring_in(tmp_path, "{\n", skip_bad=True)
    assert not Corpus.objects.exists()


def test_only_the_first_hundred_bad_records_are_listed_but_all_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        bring_in(tmp_path, "{\n" * 250)
    assert (refused.value.report.refused, len(refused.value.report.bad)) == (250, 100)


def test_versions_of_a_background_keep_their_lineage(tmp_path: Path) -> None:
    corpus = bring_in(tmp_path, FAMILY).corpus
    rows = {row.key: row for row in corpus.dialogues.select_related("origin", "parent")}
    assert rows["a/s"].origin == rows["a"]
    assert rows["a/s"].parent == rows["a/γ"]
    assert (rows["a/s"].version_id, rows["a/s"].written_by) == ("stephanie", "model-2")
    assert rows["a/γ"].is_demo
    assert rows["a/β"].theme == "A walk."
    assert list(corpus.dialogues.originals().values_list("key", flat=True)) == ["a", "b"]


def test_lineage_reaches_across_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 1)
    corpus = bring_in(tmp_path, FAMILY).corpus
    assert corpus.dialogues.get(key="a/s").parent == corpus.dialogues.get(key="a/γ")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"origin": "b"}, "its origin “b” is not a dialogue earlier in the file"),
        ({"origin": "a", "parent": "z"}, "its parent “z” is not a dialogue earlier in the file"),
        ({"origin": "a/β"}, "its origin “a/β” has an origin itself; name the original"),
        ({"parent": "a"}, "it has a parent but no origin; name the original that both belong to"),
        (
            {"version": "delta"},
            "unknown version “delta”; known are alpha, beta, first-answer, gamma, punctuation, restructured, "
            "second-answer, stephanie",
        ),
    ],
)
def test_a_dialogue_that_fits_nowhere_is_bad(tmp_path: Path, fields: dict[str, str], expected: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        bring_in(tmp_path, line("a") + line("a/β", version="beta", origin="a") + line("c", **fields))
    assert [bad.reason for bad in refused.value.report.bad] == [expected]


def test_what_hangs_on_a_bad_record_is_bad_too(tmp_path: Path) -> None:
    imported = bring_in(
        tmp_path, line("a", theme=1) + line("a/β", version="beta", origin="a") + line("c"), skip_bad=True
    )
    assert [bad.row for bad in imported.report.bad] == [1, 2]


def test_an_exported_corpus_comes_back_the_same_to_the_byte(tmp_path: Path) -> None:
    corpus = bring_in(tmp_path, FAMILY).corpus
    exported = "".join(jsonl_lines(corpus))
    assert [json.loads(text)["id"] for text in exported.splitlines()] == ["a", "b", "a/β", "a/γ", "a/s"]
    again = bring_in(tmp_path, exported, name="again").corpus
    assert "".join(jsonl_lines(again)) == exported


def test_repeated_sides_are_left_out_on_request(tmp_path: Path) -> None:
    one = "1 hello there\thi , how are you ?\n2 i'm fine .\twhat do you do ?\n3 i swim .\tnice !\n"
    imported = bring_in(tmp_path, one + one, deduplicate=True)
    assert (imported.report.dialogues, imported.report.duplicates, imported.report.refused) == (1, 1, 0)
    assert bring_in(tmp_path, one + one + one, name="all").report.dialogues == 3


def test_a_long_dialogue_with_line_breaks_emoji_and_cyrillic_is_kept_as_it_is(tmp_path: Path) -> None:
    messages = [[1, f"строка {number}\n👋🏽 второй ряд"] for number in range(1000)]
    row = bring_in(tmp_path, line(messages=messages)).corpus.dialogues.get()
    assert row.messages == messages
    assert (row.message_count, row.turn_count, row.turns_of_6_up) == (1000, 1, 1)


def test_progress_ends_with_the_whole_file_read(tmp_path: Path) -> None:
    told: list[int] = []
    path = write(tmp_path, PARLAI * 3)
    import_file(Source(path, path.name), name="corpus", by=None, progress=told.append)
    assert told == [path.stat().st_size]


def test_a_named_form_is_believed_over_the_look_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="must name the columns"):
        bring_in(tmp_path, PARLAI, file_format="csv")


def test_the_stored_messages_are_those_of_the_file(shared_data: Path, tmp_path: Path) -> None:
    """Neither the importer nor the database changes a character."""
    path = shared_data / "personachat" / "valid_both_original_no_cands.txt"
    lines = path.read_text().splitlines()
    said = [column for text in lines if "persona: " not in text for column in text.split(" ", 1)[1].split("\t")]
    corpus = import_file(Source(path, path.name), name="valid", by=None).corpus
    stored = [text for row in corpus.dialogues.all() for _, text in row.messages]
    assert stored == said
    assert parlai.SILENCE not in stored


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_make_one_corpus(tmp_path: Path) -> None:
    """Two clicks in two processes: one imports, the other is pointed to what the first made."""
    path = write(tmp_path, "".join(map(line, range(50))))
    start = threading.Barrier(2)

    def click(name: str) -> str:
        start.wait()
        try:
            return import_file(Source(path, path.name), name=name, by=None).corpus.name
        except ImportRefusedError as refused:
            return str(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, ["one", "other"]))
    corpus = Corpus.objects.get()
    assert corpus.name in answers
    assert f"This file is already here, as the corpus “{corpus.name}”." in answers
    assert corpus.dialogues.count() == 50


def test_two_answers_to_one_prompt_come_in_as_two_versions_of_one_background(tmp_path: Path) -> None:
    said = [
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": answer}] for answer in ("One.", "Two.")
    ]
    rows = [{"conversation_id": "c", "model": name, "conversation": one} for name, one in zip("ab", said, strict=True)]
    corpus = bring_in(tmp_path, json.dumps(rows)).corpus
    first, second = corpus.dialogues.order_by("key")
    assert (corpus.file_format, first.version_id, second.version_id) == ("lmsys", "first-answer", "second-answer")
    assert (first.origin, second.origin, second.written_by) == (None, first, "b")
