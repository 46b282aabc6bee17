"""What leaves a study of chats: scores with their chat, and the chats themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.chats.plan import ChatPlan
from annotation.models import Chat, ChatEvent, Rating, Study
from annotation.reports import unblinding
from annotation.reports.chat_exports import chats_jsonl
from annotation.reports.exports import ratings_csv
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from tests.annotation.chat_studies import (
    NOON,
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
)
from tests.annotation.rated_study import rated_study
from tests.annotation.test_exports import rows_of
from tests.people import logged_in

pytestmark = pytest.mark.django_db


def lines(study: Study) -> list[dict[str, Any]]:
    return [json.loads(line) for line in "".join(chats_jsonl(study)).splitlines()]


def test_a_score_names_its_chat_with_turns_and_minutes_and_no_placeholder() -> None:
    study = chatted_study()
    rows = rows_of("".join(ratings_csv(study)))
    assert len(rows) == 16
    chats = {str(chat.pk): chat for chat in Chat.objects.select_related("dialogue", "assignment__item__dialogue")}
    for row in rows:
        chat = chats[row["chat"]]
        assert chat.dialogue is not None
        assert chat.assignment is not None
        assert (row["dialogue"], row["chat_dialogue"]) == ("", chat.dialogue.key)
        assert row["version"] == chat.assignment.item.dialogue.version_id
    tuned = next(row for row in rows if row["version"] == "chat-tuned")
    # From the first “hi there” to “nice !” 63.6 seconds later.
    assert (tuned["turns"], float(tuned["minutes"])) == ("2", pytest.approx(63.6 / 60, abs=1e-3))


def test_scores_of_dialogues_have_empty_cells_there() -> None:
    rows = rows_of("".join(ratings_csv(rated_study(backgrounds=1, raters=1))))
    assert {(row["chat"], row["chat_dialogue"], row["turns"], row["minutes"]) for row in rows} == {("", "", "", "")}
    assert all(row["dialogue"] for row in rows)


def test_a_chat_is_one_line_with_everything_that_happened_and_when() -> None:
    study = chatted_study()
    found = lines(study)
    assert [line["chat"] for line in found] == list(Chat.objects.order_by("pk").values_list("pk", flat=True))
    first = found[0]
    assert (first["study"], first["tester"], first["system"]) == ("Chats", f"R-{study.pk}-0", "Tuned")
    assert (first["background"], first["state"], first["scored"], first["turns"]) == ("d0", "ended", True, 2)
    kept = ChatEvent.objects.filter(chat=first["chat"]).order_by("number")
    assert [(one["number"], one["kind"], one["text"], one["detail"]) for one in first["events"]] == list(
        kept.values_list("number", "kind", "text", "detail")
    )
    assert first["events"][0]["at"] == NOON.isoformat()
    assert first["dialogue"] == Dialogue.objects.get(chat=first["chat"]).key
    assert first["setup"]["pace"] == "typing"


def test_chats_that_did_not_end_and_that_said_nothing_are_lines_and_others_keep_their_events() -> None:
    study = chat_study(plan=ChatPlan(practice=True), backgrounds=2, k=3)
    ann, ben, cat = (join(study, number) for number in range(3))
    end(play(begin(practise(ann)), exchange(0, ["practice"], ["ok"])), 9)
    silent = begin(hold(ann, "Tuned"))
    chatted(ben, "Tuned", events=exchange(0, ["left out"], ["ok"]))
    chatting = play(begin(hold(cat, "Plain", 1)), [Happened(0, "sent", "said")])
    ben.excluded_at = NOON
    ben.save()
    found = lines(study)
    assert [(line["chat"], line["state"], [one["text"] for one in line["events"]]) for line in found] == [
        (silent.pk, "open", []),
        (chatting.pk, "open", ["said"]),
    ]


def test_no_name_of_a_person_and_nothing_secret_leaves() -> None:
    study = chatted_study()
    Chat.objects.update(setup={**Chat.objects.earliest("pk").setup, "api_key": "sk-secret"})
    ChatEvent.objects.filter(number=1).update(client_id="a-browser-id")
    text = "".join(chats_jsonl(study))
    member = study.memberships.select_related("rater").earliest("pk")
    for secret in (member.rater.username, "sk-secret", "a-browser-id", "127.0.0.1", Chat.objects.earliest("pk").token):
        assert secret not in text


def test_every_key_of_a_line_is_documented() -> None:
    documented = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text()
    _, _, section = documented.partition("## Chats of a study")
    section = section.partition("\n## ")[0]
    assert [key for key in lines(chatted_study())[0] if f"`{key}`" not in section] == []


def test_chats_are_streamed_with_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    study = chat_study(backgrounds=12)
    ann = join(study, 0)
    for background in range(12):
        chatted(ann, "Tuned", background)
    # Three of them ask again whether anything changed while it was read.
    with django_assert_max_num_queries(15):
        assert len(lines(study)) == 12


def test_researchers_take_chats_out_once_the_study_may_be_unblinded_and_that_is_recorded() -> None:
    study, client = chatted_study(unblinded=False), logged_in(Role.RESEARCHER)
    address = reverse("study_chats_jsonl", args=[study.pk])
    refused = client.get(address)
    assert (refused.status_code, refused["Location"]) == (302, reverse("study_report", args=[study.pk]))
    unblinding.unblind(study=study, by=None, how="on purpose")
    response = client.get(address)
    assert response["Content-Disposition"] == 'attachment; filename="chats-chats.jsonl"'
    assert len(response.getvalue().splitlines()) == 4
    assert AuditEvent.objects.filter(verb=AuditVerb.CHATS_EXPORTED, subject=f"study:{study.pk}").count() == 1
    assert address in client.get(reverse("study_report", args=[study.pk])).content.decode()
    assert logged_in(Role.RATER).get(address).status_code == 403


def test_a_study_of_dialogues_has_no_chats_to_take_out() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER)
    assert client.get(reverse("study_chats_jsonl", args=[study.pk])).status_code == 404
    assert "chats.jsonl" not in client.get(reverse("study_report", args=[study.pk])).content.decode()
    with pytest.raises(CommandError, match="leave --chats out"):
        call_command("export_ratings", study.name, "--out", "nowhere.jsonl", "--chats")


def test_the_command_writes_the_same_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, path = chatted_study(), tmp_path / "chats.jsonl"
    call_command("export_ratings", study.name, "--out", str(path), "--chats")
    assert path.read_text(encoding="utf-8") == "".join(chats_jsonl(study))
    assert "4 chats of Chats in" in capsys.readouterr().out


def test_what_is_exported_as_scores_can_be_imported_again(tmp_path: Path) -> None:
    study, path = chatted_study(), tmp_path / "scores.csv"
    path.write_text("".join(ratings_csv(study)), encoding="utf-8", newline="")
    call_command("import_ratings", str(path), "--name", "Again")
    again = Study.objects.get(name="Again")
    assert Rating.objects.filter(assignment__study=again).count() == 4
