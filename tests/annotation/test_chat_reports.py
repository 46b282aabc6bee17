"""The report of a study of chats: Table 6, how chats went, lengths by side."""

from itertools import cycle

import pytest
from django.core.management import call_command
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries as MostQueries

from annotation.chats.plan import ChatPlan
from annotation.models import Chat, Rating, Study
from annotation.reports import unblinding
from annotation.reports.loading import findings_of
from annotation.reports.scores import study_items
from annotation.reports.study_chats import study_chats
from annotation.reports.tables import study_tables
from annotation.roles import Role
from core.latex import to_latex
from core.tables import Cell, Estimate, Table, to_csv
from dialogues.models import AuditEvent, Dialogue, Rubric
from generation.models import Endpoint
from tests.annotation.chat_studies import (
    NO_CHAT,
    Happened,
    begin,
    chat_study,
    chatted,
    chatted_study,
    end,
    exchange,
    hold,
    join,
    play,
    practise,
    score,
)
from tests.annotation.rated_study import rated_study
from tests.people import logged_in

pytestmark = pytest.mark.django_db


def tables_of(study: Study) -> dict[str, Table]:
    return study_tables(study, findings_of(study))


def cell(table: Table, row: str, label: str, *, side: str = "") -> Cell:
    place = next(n for n, column in enumerate(table.columns) if column.label == label)
    return next(cells[place] for cells in table.rows if cells[0] == row and (not side or cells[1] == side))


def value(found: Cell) -> tuple[float, int]:
    assert isinstance(found, Estimate)
    return pytest.approx(found.value), found.n


def test_table_6_has_a_column_for_each_system_and_says_what_it_rests_on() -> None:
    study = chat_study(systems=("Tuned", "Plain", "Third"))
    ann, ben = join(study, 0), join(study, 1)
    chatted(ann, "Tuned", 0, values=(5, 4, 5, 4))
    chatted(ben, "Tuned", 1, values=(4, 4, 4, 4))
    chatted(ann, "Plain", 0, values=(2, 2, 2, 2))
    table = tables_of(study)["table-6"]
    assert value(cell(table, "Interesting", "Tuned")) == (4.5, 2)
    assert value(cell(table, "Interesting", "Plain")) == (2.0, 1)
    assert cell(table, "Interesting", "Third") is None
    basis = [[cell(table, row, name) for name in ("Tuned", "Plain", "Third")] for row in ("Ratings", "Testers")]
    assert basis == [[2, 1, 0], [2, 1, 0]]
    assert [cell(table, "Backgrounds", name) for name in ("Tuned", "Plain", "Third")] == [2, 1, 0]


def test_the_papers_two_systems_have_columns_of_their_own_and_a_note_says_that_they_are_not_ours() -> None:
    table = tables_of(chatted_study())["table-6"]
    assert "the paper’s Table 6" in table.caption
    assert [(column.group, column.label) for column in table.columns[-2:]] == [("paper", "tuned"), ("paper", "untuned")]
    assert [cell(table, "Natural", label) for label in ("tuned", "untuned")] == [4.13, 3.57]
    assert cell(table, "Ratings", "tuned") is None
    assert any("No system of this study is one of them." in note for note in table.notes)
    assert "paper tuned" in to_csv(table).splitlines()[0]
    assert "tuned" in to_latex(table)


def test_other_questions_stand_without_the_papers_values() -> None:
    asked = Rubric.objects.get(slug="chat-four")
    metrics = [{**row, "definition": "Another question."} for row in asked.metrics]
    other = Rubric.objects.create(slug="other", name="Other", metrics=metrics)
    table = tables_of(chatted_study(rubric=other))["table-6"]
    assert "paper" not in table.caption
    assert [column.label for column in table.columns] == ["Metric", "Tuned", "Plain"]
    assert any(note.startswith("Without a value of the paper: Interesting") for note in table.notes)


def test_agreement_is_measured_only_where_a_system_and_background_has_several_chats() -> None:
    assert not {"agreement", "agreement-by-version"} & set(tables_of(chatted_study()))
    study = chat_study(k=2, name="Twice")
    for number, values in ((0, (5, 4, 5, 4)), (1, (4, 4, 4, 3))):
        chatted(join(study, number), "Tuned", 0, values=values)
    table = tables_of(study)["agreement"]
    assert any("Testers of one system and background scored different chats" in note for note in table.notes)
    assert tables_of(rated_study(backgrounds=1))["agreement"].notes == tuple(
        note for note in tables_of(study_named("Pilot"))["agreement"].notes if "different chats" not in note
    )


def study_named(name: str) -> Study:
    return Study.objects.get(name=name)


def test_lengths_are_those_of_the_chats_and_never_of_placeholders() -> None:
    study = chatted_study(k=2)
    chatted(join(study, 2), "Tuned", 0, events=exchange(0, ["one two three"], ["four"]))
    items = study_items(study)
    texts = Dialogue.objects.filter(chat__isnull=False)
    assert items.counts[:, 0].sum() == sum(row.message_count for row in texts)
    assert items.has_text.tolist() == [True, True, True, True]
    assert NO_CHAT not in "".join(str(row.messages) for row in texts)
    table = tables_of(study)["table-4"]
    assert [column.label for column in table.columns] == ["Measure", "Tuned", "Plain"]
    plain = [row for row in texts if row.version_id == "chat-plain"]
    words = sum(row.whitespace_tokens for row in plain) / sum(row.message_count for row in plain)
    assert value(table.rows[0][2]) == (words, 2)


def test_lengths_by_side_count_each_side_in_its_own_turns() -> None:
    study = chat_study(backgrounds=1)
    chatted(join(study, 0), "Tuned")
    chatted(join(study, 1), "Plain", events=exchange(0, ["hello there"], ["Hello, I am a model."]))
    table = tables_of(study)["lengths-by-side"]
    words = "Words/message, whitespace tokens"
    # “hi there”, “how are you ?” and “good”; then “fine”, “and you ?” and “nice !”.
    assert value(cell(table, "Tuned", words, side="tester")) == (7 / 3, 1)
    assert value(cell(table, "Tuned", "ACMC", side="tester")) == (1.5, 1)
    assert value(cell(table, "Tuned", words, side="system")) == (2.0, 1)
    assert [cell(table, "Tuned", label, side="tester") for label in ("one", "two", "Turns")] == [50, 50, 2]
    assert value(cell(table, "Plain", words, side="system")) == (5.0, 1)


def test_the_table_of_chats_counts_what_happened() -> None:
    study = chat_study(backgrounds=3)
    ann = join(study, 0)
    chatted(ann, "Tuned", 0, why="turns")
    end(play(begin(hold(ann, "Tuned", 1)), [Happened(0, "sent", "hi"), Happened(3, "asked"),
        Happened(4, "failed", detail={"trouble": "provider", "again": False})]), 60)  # fmt: skip
    play(begin(hold(ann, "Tuned", 2)), [*exchange(0, ["hi"], ["a"]), Happened(60, "sent", "x"), Happened(63, "asked"),
         Happened(64, "aborted", detail={"why": "stopped"})])  # fmt: skip
    table = tables_of(study)["chats"]
    counts = {row[0]: row[1] for row in table.rows}
    assert [counts[f"Chats {what}"] for what in ("begun", "finished", "scored")] == [3, 2, 1]
    assert (counts["Empty chats"], counts["Ended by the limit of turns"], counts["Ended by the limit of time"]) == (
        1,
        1,
        0,
    )
    assert [counts[f"Tester’s turns, {end}"] for end in ("median", "least", "most")] == [1.5, 1, 2]
    assert counts["Replies"] == 5
    assert (counts["Replies broken off, %"], counts["Replies failed, %"]) == (20, 20)
    assert counts["Replies failed because the endpoint failed or could not be reached, %"] == 20
    # Of a reply's bubbles each comes a tenth of a second late.
    assert counts["Bubbles later than planned, seconds, median"] == pytest.approx(0.1)
    assert counts["Wait for a reply, seconds, median"] == pytest.approx(1.1)
    assert {row[2] for row in table.rows if row[0].startswith("Replies")} == {0, None}  # type: ignore[union-attr]


def test_practice_and_testers_who_do_not_count_are_in_no_table() -> None:
    study = chat_study(plan=ChatPlan(practice=True), k=2)
    ann, ben = join(study, 0), join(study, 1)
    end(play(begin(practise(ann)), exchange(0, ["try"], ["ok"])), 30)
    chatted(ann, "Tuned")
    chatted(ben, "Tuned")
    before = tables_of(study)["chats"].rows[0][1]
    ben.excluded_at = Rating.objects.latest("pk").created_at
    ben.save()
    after = tables_of(study)
    assert (before, after["chats"].rows[0][1], after["table-6"].rows[4][1]) == (2, 1, 1)
    assert len(study_chats(study)) == 2


def test_a_chat_whose_place_another_tester_has_now_gives_them_no_length() -> None:
    study = chat_study(backgrounds=1)
    ann, ben = join(study, 0), join(study, 1)
    place = hold(ann, "Tuned")
    end(play(begin(place), exchange(0, ["a b c d e f"], ["g"])), 30)
    place.membership = ben
    place.save()
    chat = end(play(begin(place), exchange(0, ["a"], ["g"])), 30)
    score(place, (1, 1, 1, 1))
    chats = {one.person: (one.is_held, one.facts.person_words) for one in study_chats(study)}
    assert chats == {ann.rater_id: (False, 6), ben.rater_id: (True, 1)}
    assert study_items(study).counts.sum(axis=0)[2] == 2
    assert chat.dialogue is not None
    figures = findings_of(study).chats
    assert figures is not None
    assert (figures.systems["chat-tuned"].begun, figures.systems["chat-tuned"].scored) == (2, 1)


def test_new_events_are_seen_at_once() -> None:
    study = chat_study(backgrounds=1)
    chat = play(begin(hold(join(study, 0), "Tuned")), exchange(0, ["a"], ["b"]))
    assert tables_of(study)["chats"].rows[1][1] == 0
    end(chat, 30)
    assert tables_of(study)["chats"].rows[1][1] == 1


def test_a_report_of_chats_asks_no_query_a_chat(django_assert_max_num_queries: MostQueries) -> None:
    study = chat_study(backgrounds=15, k=2)
    members = cycle([join(study, number) for number in range(4)])
    for background in range(15):
        for system in ("Tuned", "Plain"):
            chatted(next(members), system, background)
    fresh = Study.objects.select_related("rubric", "corpus").get(pk=study.pk)
    # Of them ten estimate how long it takes, and ask again whether anything changed meanwhile.
    with django_assert_max_num_queries(39):
        assert study_tables(fresh, findings_of(fresh))["chats"].rows[0][1:] == (15, 15)


def test_the_page_shows_every_table_with_its_files_and_says_chats() -> None:
    study, client = chatted_study(), logged_in(Role.RESEARCHER)
    html = client.get(reverse("study_report", args=[study.pk])).content.decode()
    for slug in ("table-6", "comparisons", "raters", "chats", "table-4", "table-5", "lengths-by-side"):
        assert f'id="table-{slug}"' in html, slug
        for name in ("study_table_csv", "study_table_tex"):
            assert client.get(reverse(name, args=[study.pk, slug])).status_code == 200
    assert "4 scored chats by 2 testers" in " ".join(html.split())
    assert NO_CHAT not in html


def test_before_any_score_the_page_tells_how_the_chats_go() -> None:
    study = chat_study()
    play(begin(hold(join(study, 0), "Tuned")), exchange(0, ["a"], ["b"]))
    html = logged_in(Role.RESEARCHER).get(reverse("study_report", args=[study.pk])).content.decode()
    assert 'id="table-chats"' in html
    assert 'id="table-table-6"' not in html
    assert 'id="table-table-4"' not in html


def test_simulated_and_demo_chats_are_marked_on_every_table() -> None:
    study = chatted_study()
    Endpoint.objects.update(is_demo=True)
    Dialogue.objects.filter(items__study=study).update(is_demo=True)
    Study.objects.filter(pk=study.pk).update(state="draft")
    Study.objects.filter(pk=study.pk).update(is_simulated=True, state="open")
    for member in study.memberships.select_related("rater__profile"):
        member.rater.profile.is_simulated = True
        member.rater.profile.save()
    study = Study.objects.get(pk=study.pk)
    found = tables_of(study)
    assert found["table-6"].rows[4][1] == 2
    for table in found.values():
        assert any("demo rules" in note for note in table.notes), table.slug
    for slug in ("table-6", "comparisons", "raters", "chats", "lengths-by-side"):
        assert any("imulated" in note for note in found[slug].notes), slug


def test_the_command_prints_the_tables_of_chats_and_their_figures_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    study = chatted_study()
    call_command("study_report", study.name)
    printed = capsys.readouterr().out
    assert "the paper’s Table 6" in printed
    assert "Chats by system" in printed
    call_command("study_report", study.name, "--json")
    assert '"chats": {"systems": {"chat-tuned": {"begun": 2' in capsys.readouterr().out


def test_a_blind_study_asks_before_its_report_names_systems() -> None:
    study, client = chatted_study(unblinded=False), logged_in(Role.RESEARCHER)
    page = client.get(reverse("study_report", args=[study.pk]))
    assert b"would unblind this study" in page.content
    assert client.get(reverse("study_table_csv", args=[study.pk, "chats"])).status_code == 302
    assert unblinding.unblinded_by(study) is None
    assert not AuditEvent.objects.exists()
    assert Chat.objects.count() == 4
