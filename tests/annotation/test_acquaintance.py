"""Who knows what they would rate is refused, or a reason is recorded and told."""

import pytest
from django.contrib.auth.models import User

from annotation.design import methods
from annotation.models import Membership, Restructuring, Study
from annotation.monitoring import states
from annotation.people import acquaintance, memberships
from annotation.people.acquaintance import AcquaintedError
from annotation.people.members import change_role
from annotation.restructuring import seeds
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from tests.annotation import setting
from tests.people import logged_in

pytestmark = pytest.mark.django_db
WHY = "Nobody else reads Basque."


def gamma_of(study: Study, number: int = 0) -> Dialogue:
    return study.corpus.dialogues.get(key=f"d{number}-gamma")


def ask(study: Study, name: str, **more: str) -> seeds.Asked:
    person = Membership.objects.get(study=study, rater__username=name).rater
    by = setting.user(f"asks-{User.objects.count()}", "researcher")
    return seeds.ask(dialogues=[gamma_of(study).pk], people=[person], instructions="", by=by, **more)


@pytest.mark.parametrize("role", ["researcher", "admin"])
def test_who_may_open_the_material_is_added_only_with_a_reason_which_the_study_tells(role: str) -> None:
    study, knows = setting.study(), setting.user("kim", role)
    with pytest.raises(AcquaintedError, match="kim may open its dialogues"):
        memberships.join(study=study, rater=knows, by=None)
    assert not study.memberships.exists()
    client = logged_in(Role.RESEARCHER, "rey")
    address = f"{study.get_absolute_url()}members/"
    refused = client.post(address, {"username": "kim"}, follow=True).content.decode()
    assert "kim was not added" in refused
    assert not study.memberships.exists()
    told = client.post(address, {"username": "kim", "knows_because": WHY}, follow=True).content.decode()
    assert WHY in told
    event = AuditEvent.objects.get(verb=AuditVerb.ACQUAINTANCE_ACCEPTED)
    assert event.detail == {"member": study.memberships.get().pk, "how": event.detail["how"], "reason": WHY}
    assert event.actor is not None
    assert "Not blind to the material: 1 rater who may open its dialogues" in methods.methods_text(study)


def test_a_rater_who_knows_nothing_is_added_without_a_word() -> None:
    study = setting.study()
    setting.member(study, "ann")
    assert not acquaintance.accepted(study).exists()
    assert "Not blind" not in methods.methods_text(study)


@pytest.mark.parametrize("is_draft", [False, True])
def test_who_restructures_a_background_does_not_rate_its_versions(is_draft: bool) -> None:
    study = setting.draft() if is_draft else setting.study()
    ann = setting.user("ann")
    Restructuring.objects.create(original=gamma_of(study), annotator=ann, messages=gamma_of(study).messages)
    with pytest.raises(AcquaintedError, match="asked to restructure"):
        memberships.join(study=study, rater=ann, by=None)
    # Taken back, it was never seen to be theirs; of another corpus it tells nothing.
    Restructuring.objects.update(state="withdrawn")
    memberships.join(study=study, rater=ann, by=None)
    assert study.memberships.get().rater == ann


def test_nobody_is_asked_to_restructure_what_they_rate_unless_a_reason_is_recorded() -> None:
    study = setting.study()
    setting.member(study, "ann")
    with pytest.raises(AcquaintedError, match="ann would restructure what they rate in “Study 1”"):
        ask(study, "ann")
    assert not Restructuring.objects.exists()
    assert ask(study, "ann", despite=WHY).new == 1
    (event,) = acquaintance.accepted(study)
    assert event.detail["reason"] == WHY
    assert "1 rater who was also asked to restructure" in methods.methods_text(study)


def test_the_page_that_asks_says_who_rates_and_takes_a_reason() -> None:
    study = setting.study()
    ann = setting.member(study, "ann").rater
    client = logged_in(Role.RESEARCHER, "rey")
    sent = {"dialogues": str(gamma_of(study).pk), "people": [ann.pk]}
    refused = client.post("/restructurings/ask/", sent)
    assert refused.status_code == 422
    assert "Nobody was asked: ann would restructure what they rate" in refused.content.decode()
    assert client.post("/restructurings/ask/", {**sent, "despite": WHY}).status_code == 302
    assert Restructuring.objects.get().annotator == ann


def test_a_closed_study_and_one_that_was_left_stand_in_nobodys_way() -> None:
    closed, left = setting.study(), setting.study(of=setting.corpus(name="More"))
    setting.member(closed, "ann")
    states.close(study=closed, by=None)
    assert ask(closed, "ann").new == 1
    member = setting.member(left, "bob")
    Membership.objects.filter(pk=member.pk).update(withdrawn_at="2026-01-01T00:00:00Z")
    assert ask(left, "bob").new == 1


def test_a_rater_who_becomes_a_researcher_is_told_of_by_their_open_studies() -> None:
    study = setting.study()
    ann = setting.member(study, "ann").rater
    change_role(person=ann, role=Role.RESEARCHER, by=setting.user("ada", "admin"))
    (event,) = acquaintance.accepted(study)
    assert "became a researcher" in event.detail["how"]


def test_a_researcher_at_the_open_link_is_refused_in_words() -> None:
    study = setting.study()
    Study.objects.filter(pk=study.pk).update(door_token="abc-door")
    answer = logged_in(Role.RESEARCHER, "rey").post("/door/abc-door/")
    assert answer.status_code == 403
    assert "You know this study’s dialogues" in answer.content.decode()
    assert not study.memberships.exists()
