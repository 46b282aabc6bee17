"""Who withdraws: nothing that stays names them, and where their scores stay they do not come back as somebody else."""

import json
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Assignment, Departure, Invitation, Membership, Rating, Study
from annotation.models.people import profile_of
from annotation.people import invitations, memberships
from annotation.people.memberships import LeftError
from annotation.rating import membership_changes, queue, rater_stage
from annotation.rating.answers import Answer
from annotation.recruitment import open_links
from annotation.recruitment.open_links import Recruit
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from tests.annotation.setting import SCORES, corpus, fresh, member, rate, study, user
from tests.people import client_of

pytestmark = pytest.mark.django_db
PID = "5e9a0f0c1b2d3e4f5a6b7c8d"
KEEP, REMOVE = Study.Withdrawal.KEEP, Study.Withdrawal.REMOVE


def open_study(policy: str = KEEP, **fields: Any) -> Study:
    chats = Corpus.objects.first() or corpus(1)
    one = study(of=chats, withdrawal=policy, **fields)
    by = User.objects.filter(username="opener").first() or user("opener", "researcher")
    return open_links.set_open_link(study=one, limit=None, completion_code="", screen_out_code="", by=by)


def test_stored_codes_and_return_links_outlive_a_renamed_module() -> None:
    assert memberships.SALT == "annotation.studies.departures"
    assert open_links._return_links.salt == "annotation.people.doors"


def leave(membership: Membership) -> None:
    membership_changes.withdraw(membership=membership, by=membership.rater)


def test_whoever_left_their_scores_cannot_join_again_by_open_link_invitation_or_name() -> None:
    one, ann = open_study(), user("ann")
    membership = member(one, "ann")
    rate(fresh(membership), now=timezone.now())
    leave(membership)
    client, door = client_of(ann), reverse("door", args=[one.door_token])
    (token,) = invitations.issue(role=Role.RATER, by=None, study=one)
    for address in (door, reverse("invitation", args=[token])):
        for answer in (client.get(address), client.post(address)):
            assert answer.status_code == 403
            assert "You have left this study" in answer.content.decode()
            assert "<form" not in answer.content.decode().partition("<main")[2]
    assert Invitation.objects.get().accepted_at is None
    added = client_of(User.objects.get(username="opener")).post(
        reverse("study_member", args=[one.pk]), {"username": "ann"}, follow=True
    )
    assert "has withdrawn, and their scores stay" in added.content.decode()
    with pytest.raises(LeftError):
        memberships.join(study=one, rater=ann, by=None)
    assert one.memberships.count() == 1
    # In any other study they are as welcome as ever.
    assert member(open_study(name="Another"), "ann").rater == ann


def test_a_participant_of_prolific_who_left_their_scores_is_known_by_their_id() -> None:
    one = open_study()
    Study.objects.filter(pk=one.pk).update(completion_code="C0DE")
    one.refresh_from_db()
    membership = open_links.enter(study=one, recruit=Recruit(PID, "s", "t"))
    rate(fresh(membership), now=timezone.now())
    leave(membership)
    asked = {"PROLIFIC_PID": PID, "STUDY_ID": "s", "SESSION_ID": "t"}
    for answer in (
        Client().get(reverse("door", args=[one.door_token]), asked),
        Client().post(reverse("door", args=[one.door_token]), asked),
    ):
        assert answer.status_code == 403
    others = {**asked, "PROLIFIC_PID": PID[::-1]}
    assert Client().post(reverse("door", args=[one.door_token]), others).status_code == 302


def test_where_scores_are_removed_nothing_is_remembered_and_they_may_begin_anew() -> None:
    one = open_study(REMOVE)
    membership = member(one, "ann")
    rate(fresh(membership), now=timezone.now())
    leave(membership)
    assert not Departure.objects.exists()
    assert member(one, "ann").pk != membership.pk


def test_the_page_says_beforehand_that_there_is_no_way_back() -> None:
    for policy, is_said in ((KEEP, True), (REMOVE, False)):
        membership = member(open_study(policy, name=policy), "ann")
        page = client_of(membership.rater).get(reverse("rate_withdraw", args=[membership.token])).content.decode()
        assert ("You cannot join this study again." in page) == is_said


@pytest.mark.parametrize("policy", [KEEP, REMOVE])
def test_nothing_in_the_study_names_who_withdrew(policy: str) -> None:
    one = open_study(policy, consent_text="I agree.", most_lapses=0)
    (token,) = invitations.issue(role=Role.RATER, by=None, study=one, email="ann@example.org")
    ann = user("ann-of-the-hill")
    pseudonym = profile_of(ann).pseudonym
    invitations.accept_as_member(invitation=invitations.find(token), user=ann)
    membership = one.memberships.select_related("study__rubric", "rater").get()
    rater_stage.agree(membership=membership, fingerprint=rater_stage.consent_fingerprint(one), now=timezone.now())
    rate(fresh(membership), now=timezone.now())
    leave(membership)
    kept: list[Any] = [*AuditEvent.objects.all(), *Invitation.objects.all(), *one.memberships.all()]
    kept += [*Assignment.objects.all(), *Rating.objects.all(), *Departure.objects.all()]
    for row in json.loads(serializers.serialize("json", kept)):
        fields = row["fields"]
        people = {fields.get(name) for name in ("actor", "rater", "accepted_by")} | {
            fields.get("detail", {}).get("rater")
        }
        assert ann.pk not in people, row
        assert not {"ann@example.org", ann.username, pseudonym} & set(map(str, fields.values())), row
    verbs = set(AuditEvent.objects.filter(detail__member=membership.pk).values_list("verb", flat=True))
    assert verbs == {AuditVerb.STUDY_JOINED, AuditVerb.CONSENT_GIVEN}


def test_a_departure_tells_neither_who_it_was_nor_which_scores_are_theirs() -> None:
    one, ann = open_study(), user("ann")
    memberships.note_withdrawal(study=one, rater=ann, participant=PID)
    memberships.note_withdrawal(study=one, rater=ann, participant=PID)
    assert Departure.objects.count() == 2
    assert {field.name for field in Departure._meta.get_fields()} == {"code", "study"}
    assert all(len(row.code) == 64 and PID not in row.code for row in Departure.objects.all())


def test_what_was_begun_and_not_submitted_is_deleted_also_beside_a_rating() -> None:
    membership = member(open_study(), "ann")
    rated = rate(fresh(membership), now=timezone.now())
    again = Answer({**SCORES, "natural": 1}, "I live at 4 Hill Street")
    version = Assignment.objects.get(pk=rated.pk).draft_version
    queue.save_draft(membership.rater, rated.token, version=version, answer=again, now=timezone.now())
    leave(membership)
    assert Assignment.objects.get(pk=rated.pk).draft == {}


def test_events_from_before_name_the_member_instead_of_the_account() -> None:
    one = study(of=corpus(1))
    ann, gone = member(one, "ann"), user("gone")
    AuditEvent.objects.all().delete()
    AuditEvent.record(ann.rater, "consent", one, rater=ann.rater_id, text="x")
    AuditEvent.record(None, "join study", one, rater=gone.pk, seed=1)
    AuditEvent.record(ann.rater, "exclude rater", one, member=ann.pk)
    import_module("annotation.migrations.0009_departures").name_members(apps, None)
    found = [(event.actor, event.detail) for event in AuditEvent.objects.order_by("pk")]
    assert found == [
        (None, {"member": ann.pk, "text": "x"}),
        (None, {"seed": 1}),
        (ann.rater, {"member": ann.pk}),
    ]
