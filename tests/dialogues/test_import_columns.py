"""Choosing which column of an unknown file is which: a guess to check, a choice to save, reasons in words."""

import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from dialogues import uploads
from dialogues.models import ColumnMap, Corpus
from tests.dialogues.files import write
from tests.dialogues.import_pages import upload

pytestmark = pytest.mark.django_db

# The names of the first say nothing, those of the second are known.
UNKNOWN = "ref,nick,said\nc1,Ann,Hi\nc1,Bob,Hello\nc1,Bob,You?\n"
KNOWN = "conv_id,sender,utterance,timestamp\nc1,Ann,Hi,2024-05-31T18:30:00\nc1,Bob,Hello,2024-05-31T18:31:00\n"
CHOICE = {"dialogue_id": "ref", "speaker": "nick", "text": "said"}
HOSTILE = '<b>&"🎉'


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def test_a_csv_with_unknown_names_shows_its_columns_and_first_values(researcher: Client) -> None:
    page = researcher.get(upload(researcher, UNKNOWN).url)
    assert "Which column is which?" in page.text
    assert [(one.name, one.samples) for one in page.context["found"].choices.columns] == [
        ("ref", ("c1",)),
        ("nick", ("Ann", "Bob")),
        ("said", ("Hi", "Hello", "You?")),
    ]
    assert 'name="description"' not in page.text


def test_a_choice_shows_the_first_dialogues_and_is_kept_until_the_import(researcher: Client) -> None:
    where = upload(researcher, UNKNOWN).url
    answer = researcher.post(where, CHOICE | {"by_columns": "1"})
    assert answer.url == where
    page = researcher.get(where)
    assert page.context["report"].messages == 3
    assert [turn["messages"] for turn in page.context["first"][0].turns()] == [["Hi"], ["Hello", "You?"]]
    assert page.context["forms"].columns["speaker"].value() == "nick"
    researcher.post(where, {"name": "Chats"})
    assert Corpus.objects.get().dialogues.get().messages == [[1, "Hi"], [2, "Hello"], [2, "You?"]]


def test_no_two_fields_of_the_page_share_an_id(researcher: Client) -> None:
    page = researcher.get(upload(researcher, KNOWN).url)
    ids = re.findall(r' id="([^"]+)"', page.text)
    assert "id_columns_name" in ids
    assert len(ids) == len(set(ids))


def test_a_guess_is_shown_as_one_until_somebody_confirms_it(researcher: Client) -> None:
    where = upload(researcher, KNOWN).url
    page = researcher.get(where)
    assert "is a guess" in page.text
    assert page.text.count("(a guess)") == 4
    assert page.context["report"].messages == 2
    guess = {"dialogue_id": "conv_id", "speaker": "sender", "text": "utterance", "time": "timestamp"}
    researcher.post(where, guess | {"by_columns": "1"})
    assert "is a guess" not in researcher.get(where).text


def test_no_page_imports_a_file_whose_columns_nobody_has_chosen(researcher: Client) -> None:
    researcher.post(upload(researcher, UNKNOWN).url, {"name": "Chats"})
    assert not Corpus.objects.exists()


@pytest.mark.parametrize("missing", ["dialogue_id", "speaker", "text"])
def test_a_column_that_is_missing_is_named(researcher: Client, missing: str) -> None:
    page = researcher.post(upload(researcher, UNKNOWN).url, CHOICE | {missing: "", "by_columns": "1"})
    assert page.context["forms"].columns.errors.keys() == {missing}
    assert "Choose the column of the" in page.text


def test_one_column_cannot_be_two_things(researcher: Client) -> None:
    page = researcher.post(upload(researcher, UNKNOWN).url, CHOICE | {"text": "nick", "by_columns": "1"})
    assert "One column is chosen twice: Speaker and Text." in page.text


def test_a_choice_that_reads_nothing_says_why_and_can_be_changed(researcher: Client) -> None:
    where = upload(researcher, "a,b,c\n1,Ann,\n1,Bob,\n").url
    researcher.post(where, {"dialogue_id": "a", "speaker": "b", "text": "c", "by_columns": "1"})
    assert "text is empty" in researcher.get(where).text


def test_a_json_list_of_objects_with_a_list_of_unknown_keys_is_mapped(researcher: Client) -> None:
    said = [{"person": "x", "words_of_it": "Hi"}, {"person": "y", "words_of_it": "Hello"}]
    where = upload(researcher, json.dumps([{"nr": 7, "story": said, "about": "greetings"}]), "a.json").url
    page = researcher.get(where)
    assert [column.name for column in page.context["found"].choices.lists["story"]] == ["person", "words_of_it"]
    choice = {"messages": "story", "speaker": "person", "text": "words_of_it", "dialogue_id": "nr", "theme": "about"}
    researcher.post(where, choice | {"by_columns": "1"})
    researcher.post(where, {"name": "Chats"})
    dialogue = Corpus.objects.get().dialogues.get()
    assert (dialogue.key, dialogue.theme, dialogue.messages) == ("7", "greetings", [[1, "Hi"], [2, "Hello"]])


def test_json_lines_of_unknown_keys_are_mapped(researcher: Client) -> None:
    rows = [{"ref": "c1", "meta": {"nick": "Ann"}, "it": "Hi"}, {"ref": "c1", "meta": {"nick": "Bob"}, "it": "Hello"}]
    where = upload(researcher, "".join(json.dumps(row) + "\n" for row in rows), "a.jsonl").url
    choice = {"dialogue_id": "ref", "speaker": "meta.nick", "text": "it", "by_columns": "1"}
    assert researcher.post(where, choice).status_code == 302
    assert researcher.get(where).context["report"].messages == 2


def test_a_saved_choice_reads_another_file_of_its_kind_and_only_such(researcher: Client) -> None:
    where = upload(researcher, UNKNOWN).url
    researcher.post(where, CHOICE | {"name": "Lab log", "by_columns": "1"})
    saved = ColumnMap.objects.get()
    assert (saved.name, saved.columns, saved.created_by.username) == ("Lab log", CHOICE, "the-researcher")
    other = upload(researcher, UNKNOWN + "c2,Ann,Bye\n").url
    assert "Lab log" in researcher.get(other).text
    researcher.post(other, {"saved": saved.pk, "by_saved": "1"})
    assert researcher.get(other).context["report"].dialogues == 2
    assert "Lab log" not in researcher.get(upload(researcher, "a,b,c\n1,2,x y\n").url).text


def test_a_name_that_is_taken_is_refused_beside_the_field(researcher: Client) -> None:
    ColumnMap.objects.create(name="Lab log", columns=CHOICE | {"time": "at"})
    page = researcher.post(upload(researcher, UNKNOWN).url, CHOICE | {"name": "Lab log", "by_columns": "1"})
    assert page.context["forms"].columns.errors.keys() == {"name"}


def test_a_second_click_saves_a_choice_once(researcher: Client) -> None:
    where = upload(researcher, UNKNOWN).url
    clicks = [researcher.post(where, CHOICE | {"name": "Lab log", "by_columns": "1"}) for _ in range(2)]
    assert [click.url for click in clicks] == [where, where]
    assert ColumnMap.objects.count() == 1


def test_a_saved_choice_is_deleted_after_a_question(researcher: Client) -> None:
    saved = ColumnMap.objects.create(name=HOSTILE, columns=CHOICE)
    where = upload(researcher, UNKNOWN).url
    delete = f"{where}columns/{saved.pk}/delete/"
    assert f'href="{delete}"' in researcher.get(where).text
    assert "&lt;b&gt;&amp;&quot;🎉" in researcher.get(delete).text
    assert researcher.post(delete).url == where
    assert not ColumnMap.objects.exists()
    assert researcher.post(delete).status_code == 404


def test_hostile_names_are_text(researcher: Client) -> None:
    content = f'ref,"{HOSTILE.replace(chr(34), chr(34) * 2)}",said\nc1,"{HOSTILE.replace(chr(34), "")}",Hi\nc1,B,Yo\n'
    where = upload(researcher, content, f"{HOSTILE.replace('/', '')}.csv").url
    page = researcher.get(where)
    assert "<b>" not in page.text
    researcher.post(where, {"dialogue_id": "ref", "speaker": HOSTILE, "text": "said", "by_columns": "1"})
    page = researcher.get(where)
    assert page.context["report"].messages == 2
    assert "<b>" not in page.text


def test_a_file_of_very_many_columns_is_a_small_page(researcher: Client) -> None:
    names = ",".join(f"column_{number}_{'x' * 60}" for number in range(2_000))
    page = researcher.get(upload(researcher, f"{names}\n{','.join('y' * 300 for _ in range(2_000))}\n").url)
    assert len(page.content) < 2**20


def test_an_object_of_very_many_lists_is_a_small_page(researcher: Client) -> None:
    """Quotation marks are the longest that a letter becomes in HTML."""
    keys = {f"{number}{chr(34) * 70}": chr(34) * 100 for number in range(50)}
    content = json.dumps([keys | {f"list {number}": [keys] for number in range(20)}])
    page = researcher.get(upload(researcher, content, "a.json").url)
    assert "Which column is which?" in page.text
    assert len(page.content) < 2**20


def test_a_guessed_column_can_be_chosen_wherever_it_stands(researcher: Client) -> None:
    many = [f"c{number}" for number in range(100)]
    content = f"{','.join(many)},{KNOWN.partition(chr(10))[0]}\n" + f"{'x,' * 100}d1,Ann,Hi,\n{'x,' * 100}d1,Bob,Yo,\n"
    page = researcher.get(upload(researcher, content).url)
    assert page.context["forms"].columns["text"].value() == "utterance"
    assert '<option value="utterance" selected>' in page.text


def test_another_format_forgets_the_columns(researcher: Client) -> None:
    where = upload(researcher, KNOWN).url
    researcher.post(where, {"file_format": "csv", "by_reading": "1"})
    page = researcher.get(where)
    assert "it names conv_id, sender, utterance, timestamp" not in page.text
    assert page.context["waiting"].is_guess


def test_an_upload_that_was_removed_meanwhile_says_so_whatever_is_posted(researcher: Client) -> None:
    where = upload(researcher, UNKNOWN).url
    for path in uploads.folder().iterdir():
        path.unlink()
    page = researcher.post(where, CHOICE | {"by_columns": "1"}, follow=True)
    assert "Choose the file again" in page.text


TREE = (
    "message_id,parent_id,tree,role,text\n"
    "m1,,t,prompter,question\nm2,m1,t,assistant,one answer\nm3,m1,t,assistant,another answer\n"
)


def test_the_preview_says_how_many_messages_of_a_tree_reply_further_up(researcher: Client) -> None:
    where = upload(researcher, TREE, "tree.csv", columns="dialogue_id=tree, speaker=role, text=text").url
    html = researcher.get(where).content.decode()
    assert '<dt dir="auto">Replies to an earlier message</dt><dd>1</dd>' in html


def test_the_command_says_how_many_messages_of_a_tree_reply_further_up(tmp_path: Path) -> None:
    out = io.StringIO()
    columns = "dialogue_id=tree,speaker=role,text=text"
    path = write(tmp_path, TREE, "tree.csv")
    call_command("import_dialogues", str(path), "--corpus", "Tree", "--columns", columns, stdout=out)
    assert "  replies to an earlier message: 1\n" in out.getvalue()
