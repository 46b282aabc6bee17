"""What the page of an upload says about how it was read, and reading it in another way."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from dialogues.formats.registry import FORMATS
from dialogues.models import Corpus
from tests.dialogues.files import PARLAI, line
from tests.dialogues.import_pages import WHATSAPP, upload

pytestmark = pytest.mark.django_db
GROUP = "31/12/2024, 14:05 - Mary: hi\n31/12/2024, 14:06 - Tom: yo\n31/12/2024, 14:07 - Ann: hey\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def test_the_page_says_what_the_form_was_told_by(researcher: Client) -> None:
    assert "lines that begin with a date" in researcher.get(upload(researcher, WHATSAPP).url).text


def test_turns_are_counted_by_how_many_messages_they_have(researcher: Client) -> None:
    messages = [[1, "x"], [2, "x"], [2, "x"], *[[1, "x"]] * 9, [2, "x"]]
    page = researcher.get(upload(researcher, line("a", messages=messages)).url)
    assert [(run["label"], run["turns"]) for run in page.context["runs"]] == [
        ("1", 2), ("2", 1), ("3", 0), ("4", 0), ("5", 0), ("6 and more", 1)
    ]  # fmt: skip
    assert "2 of 4 turns (50.0 %) have two or more messages." in page.text


def test_a_corpus_of_single_messages_is_told_so(researcher: Client) -> None:
    assert "No turn has two or more messages" in researcher.get(upload(researcher, PARLAI).url).text


def test_who_is_who_and_what_was_set_aside_is_said(researcher: Client) -> None:
    page = researcher.get(upload(researcher, WHATSAPP).url)
    assert page.context["roles"] == {"1": "Mary Okafor", "2": "Tom"}
    assert ("Media set aside", 1) in page.context["set_aside"]
    assert "Media set aside" in page.text


def test_times_are_shown_with_the_first_dialogues(researcher: Client) -> None:
    page = researcher.get(upload(researcher, WHATSAPP).url)
    days = re.findall(r'<p class="turn-day"><time datetime="[^"]*">([^<]*)<', page.text)
    assert days == ["31 December 2024", "1 January 2025"]
    assert '<time class="bubble-time" datetime="2024-12-31T14:05:00"' in page.text


def test_two_people_of_a_group_are_chosen_on_the_page(researcher: Client) -> None:
    where = upload(researcher, GROUP).url
    page = researcher.get(where)
    assert "No dialogue can be imported" in page.text
    assert "This chat has 3 people" in page.text
    assert "<details open>" in page.text
    assert [option for option, _ in page.context["forms"].reading.fields["person_1"].choices] == [
        "",
        "Mary",
        "Tom",
        "Ann",
    ]
    chosen = {"file_format": "auto", "person_1": "Mary", "person_2": "Ann", "by_reading": "1"}
    assert researcher.post(where, chosen).status_code == 302
    researcher.post(where, {"name": "Chats"})
    assert Corpus.objects.get().dialogues.get().messages == [[1, "hi"], [2, "hey"]]


def test_one_person_of_a_group_is_not_enough(researcher: Client) -> None:
    where = upload(researcher, GROUP).url
    page = researcher.post(where, {"file_format": "auto", "person_1": "Mary", "by_reading": "1"})
    assert page.context["forms"].reading.errors.keys() == {"person_2"}


def test_a_third_person_is_chosen_after_the_first_two(researcher: Client) -> None:
    where = upload(researcher, GROUP).url
    for second in ("Ann", "Tom"):
        chosen = {"file_format": "auto", "person_1": "Mary", "person_2": second, "by_reading": "1"}
        assert researcher.post(where, chosen).status_code == 302
    page = researcher.get(where)
    assert page.context["roles"] == {"1": "Mary", "2": "Tom"}
    assert page.context["forms"].reading["person_2"].value() == "Tom"


def test_two_people_of_a_table_are_chosen_among_all_that_its_groups_name(researcher: Client) -> None:
    rows = ["dialogue_id,speaker,text"]
    rows += [f"{key},{name},hi" for key, names in {"a": "ABC", "b": "CDEE"}.items() for name in names]
    where = upload(researcher, "\n".join(rows) + "\n", "table.csv").url
    options = researcher.get(where).context["forms"].reading.fields["person_1"].choices
    assert [name for name, _ in options] == ["", "C", "E", "A", "B", "D"]
    researcher.post(where, {"file_format": "auto", "person_1": "A", "person_2": "B", "by_reading": "1"})
    page = researcher.get(where)
    assert (page.context["report"].dialogues, page.context["report"].refused) == (1, 1)
    assert {name for name, _ in page.context["forms"].reading.fields["person_1"].choices} == {"", *"ABCDE"}


@pytest.mark.parametrize("name", ['<b>&"', "👩‍👩‍👧", "مريم", "x" * 120])
def test_names_of_a_group_are_text_and_choose_as_they_are(researcher: Client, name: str) -> None:
    where = upload(researcher, GROUP.replace("Mary", name)).url
    page = researcher.get(where)
    assert f'<option value="{escape(name)}">' in page.text
    assert "<b>&" not in page.text
    researcher.post(where, {"file_format": "auto", "person_1": name, "person_2": "Ann", "by_reading": "1"})
    assert researcher.get(where).context["roles"] == {"1": name, "2": "Ann"}


def test_people_are_typed_only_where_the_list_is_cut(researcher: Client) -> None:
    few = upload(researcher, GROUP).url
    assert "other_1" not in researcher.get(few).context["forms"].reading.fields
    times = [f"31/12/2024, 14:{number:02} - P{number}: hi\n" for number in range(55)]
    where = upload(researcher, "".join(times)).url
    form = researcher.get(where).context["forms"].reading
    assert len(form.fields["person_1"].choices) == 51
    chosen = {"file_format": "auto", "person_1": "P0", "other_2": "P54", "by_reading": "1"}
    researcher.post(where, chosen)
    page = researcher.get(where)
    assert page.context["roles"] == {"1": "P0", "2": "P54"}
    assert page.context["forms"].reading["other_2"].value() == "P54"


def test_the_order_of_dates_is_chosen_on_the_page_where_nothing_shows_it(researcher: Client) -> None:
    where = upload(researcher, "03/04/20, 10:00 - A: x\n04/04/20, 10:00 - B: y\n").url
    assert "begin with the day or with the month" in researcher.get(where).text
    researcher.post(where, {"file_format": "auto", "date_order": "mdy", "by_reading": "1"})
    page = researcher.get(where)
    assert page.context["facts"] == ["Dates are read as month-day-year (as you said)."]
    assert "Dates are read as month-day-year (as you said)." in page.text


def test_how_a_file_was_read_stays_with_the_corpus_as_a_sentence(researcher: Client) -> None:
    researcher.post(upload(researcher, WHATSAPP).url, {"name": "Chats", "skip_bad": "on"})
    corpus = Corpus.objects.get()
    fact = "Dates are read as day-month-year (a day above 12 shows it)."
    assert corpus.reading[fact] is None
    page = researcher.get(corpus.get_absolute_url())
    assert f"<dd><bdi>{fact}</bdi></dd>" in page.text


def test_a_silence_begins_a_new_dialogue(researcher: Client) -> None:
    where = upload(researcher, WHATSAPP).url
    researcher.post(where, {"file_format": "auto", "silence": "8", "by_reading": "1"})
    page = researcher.get(where)
    assert page.context["report"].dialogues == 2
    assert page.context["forms"].reading["silence"].value() == "8"


def test_a_format_that_does_not_fit_is_a_reason_beside_the_form(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    page = researcher.post(where, {"file_format": "whatsapp", "by_reading": "1"})
    assert page.status_code == 200 or researcher.get(where).context["report"].refused
    researcher.post(where, {"file_format": "auto", "by_reading": "1"})
    assert researcher.get(where).context["report"].messages == 4


def test_only_private_chats_are_asked_about_silences_and_dates(researcher: Client) -> None:
    fields = researcher.get(upload(researcher, PARLAI).url).context["forms"].reading.fields
    assert {"silence", "date_order", "person_1"}.isdisjoint(fields)


def test_repeated_dialogues_can_be_left_out_afterwards(researcher: Client) -> None:
    one = "1 hello there\thi , how are you ?\n2 i'm fine .\twhat do you do ?\n3 i swim .\tnice !\n"
    where = upload(researcher, one * 2).url
    researcher.post(where, {"file_format": "auto", "deduplicate": "on", "by_reading": "1"})
    assert researcher.get(where).context["report"].duplicates == 1


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_file_that_is_not_of_the_chosen_form_is_told_so_and_stays(researcher: Client, form: str) -> None:
    """Objects of a message each, which hardly any form reads."""
    rows = "".join(f'{{"talk": "a", "by": "{name}", "said": "hi"}}\n' for name in ("mary", "tom", "mary"))
    where = upload(researcher, rows, columns="dialogue_id=talk,speaker=by,text=said").url
    answer = researcher.post(where, {"by_reading": "1", "file_format": form})
    assert answer.status_code in (200, 302)
    assert researcher.get(where).status_code == 200
