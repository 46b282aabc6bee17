"""A study's open door: one address through which anybody, or anybody from Prolific, becomes a rater of it.

Whoever comes in gets an account without a password, of the role rater. They stay in by their session; a *return
link*, signed for one membership, lets them come back on another device. Prolific's participant id does the same.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Self

from django.contrib.auth.models import Group, User
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils.translation import gettext as _

from annotation.models import Membership, Study, opaque_token
from annotation.people import withdrawals
from annotation.people.memberships import join
from annotation.people.profiles import ALPHABET, profile_of
from annotation.people.withdrawals import LeftError
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.transcript import text_problem

PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
# Prolific's ids are 24 hexadecimal digits; only the participant's decides anything, so only its form is strict.
PARTICIPANT = re.compile(r"[0-9a-f]{24}")
OTHER_ID = re.compile(r"[A-Za-z0-9_-]{0,60}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,32}")
LONGEST_NAME = 80
GUEST = "guest-"
_return_links = Signer(salt="annotation.recruitment.open_links")


class DoorError(Exception):
    """The door lets nobody in who is not in already: unknown, shut, full, or of a study that is not open."""


class ParameterError(ValueError):
    """Prolific's parameters are missing or not what Prolific sends; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Recruit:
    """Prolific's three parameters, checked; all empty where a study does not recruit there."""

    participant: str = ""
    study: str = ""
    session: str = ""

    @classmethod
    def read(cls, study: Study, values: dict[str, str]) -> Self:
        """What a visitor of this study's door brought along; raises ParameterError."""
        if not recruits_at_prolific(study):
            return cls()
        participant, *others = (values.get(name, "") for name in PARAMETERS)
        if not PARTICIPANT.fullmatch(participant) or not all(OTHER_ID.fullmatch(other) for other in others):
            back = _("Go back there and open the study again.")
            entered = _("This study is entered from its page on Prolific, whose address carries who you are.")
            raise ParameterError(f"{entered} {back}")
        return cls(participant, *others)

    def to_fields(self) -> dict[str, str]:
        return dict(zip(PARAMETERS, (self.participant, self.study, self.session), strict=True))


def recruits_at_prolific(study: Study) -> bool:
    """A study with a completion code does; its door asks who somebody is there."""
    return bool(study.completion_code)


def find(token: str) -> Study:
    """The launched study behind a door, whatever its state; raises DoorError."""
    if not TOKEN.fullmatch(token):
        raise DoorError
    study = Study.objects.filter(door_token=token, is_simulated=False).exclude(state=Study.State.DRAFT).first()
    if study is None:
        raise DoorError
    return study


def taken(study: Study) -> int:
    """Members who fill a place of the door's limit: whoever is no longer at work makes room for another."""
    return study.memberships.active().count()


def is_full(study: Study) -> bool:
    return study.door_limit is not None and taken(study) >= study.door_limit


def must_let_in(study: Study) -> None:
    """Raise DoorError where somebody new cannot come in now."""
    if not study.is_open or is_full(study):
        raise DoorError


@transaction.atomic
def enter(*, study: Study, recruit: Recruit, name: str = "", user: User | None = None) -> Membership:
    """The membership of who stands at the door; one participant id has one, however often it comes.

    `user` joins with the account they have. Raises DoorError where the door lets in nobody new, LeftError for who left
    their scores behind.
    """
    # Two who come at once take turns here, so that the limit holds and no participant is let in twice.
    locked = Study.objects.select_for_update().get(pk=study.pk)
    known = known_member(locked, recruit, user)
    if known is not None:
        return known
    if locked.door_token != study.door_token:
        raise DoorError
    must_let_in(locked)
    membership = join(study=locked, rater=user or _guest(name), by=None)
    if recruit.participant:
        membership.prolific_pid, membership.prolific_study = recruit.participant, recruit.study
        membership.prolific_session = recruit.session
        membership.save(update_fields=["prolific_pid", "prolific_study", "prolific_session"])
    return membership


def known_member(study: Study, recruit: Recruit, user: User | None) -> Membership | None:
    """Who has come in before: by participant id where the study recruits at Prolific, else by session.

    Raises LeftError for who left their scores behind.
    """
    members = study.memberships.select_related("rater", "study")
    if recruit.participant:
        found = members.filter(prolific_pid=recruit.participant).first()
    else:
        found = members.filter(rater=user).first() if user is not None else None
    asked_as = None if recruit.participant else user
    if found is None and withdrawals.has_left(study=study, rater=asked_as, participant=recruit.participant):
        raise LeftError
    return found


def return_token(membership: Membership) -> str:
    """What a return link ends in: it opens this membership's account and nothing else."""
    return _return_links.sign(membership.token)


def find_return(token: str) -> Membership:
    """The membership behind a return link; raises DoorError where it opens nothing, for any reason alike."""
    try:
        own = _return_links.unsign(token)
    except BadSignature as error:
        raise DoorError from error
    found = Membership.objects.present().select_related("rater", "study").filter(token=own).first()
    if found is None or not has_return_link(found):
        raise DoorError
    return found


def has_return_link(membership: Membership) -> bool:
    """Only an account that came through a door and is still no more than that: no password, no other role."""
    rater = membership.rater
    return (
        rater.username.startswith(GUEST)
        and rater.is_active
        and not rater.has_usable_password()
        and not rater.is_superuser
        and role_of(rater) == Role.RATER
    )


def _guest(name: str) -> User:
    user = User(username=GUEST + "".join(secrets.choice(ALPHABET) for _ in range(10)), first_name=_tidy_name(name))
    user.set_unusable_password()
    user.save()
    user.groups.add(Group.objects.get(name=Role.RATER.value))
    profile_of(user)
    return user


def _tidy_name(name: str) -> str:
    name = " ".join(name.split())[:LONGEST_NAME]
    return "" if text_problem(name) else name


@transaction.atomic
def open_door(*, study: Study, limit: int | None, completion_code: str, screen_out_code: str, by: User) -> Study:
    """Give the study an address of its own, or change what its door lets in; the address stays while it is open."""
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if not locked.takes_raters:
        raise DoorError
    is_new = locked.door_token is None
    locked.door_token = locked.door_token or opaque_token()
    locked.door_limit = limit
    locked.completion_code, locked.screen_out_code = completion_code, screen_out_code
    locked.save(update_fields=["door_token", "door_limit", "completion_code", "screen_out_code"])
    verb = AuditVerb.OPEN_LINK_OPENED if is_new else AuditVerb.OPEN_LINK_CHANGED
    AuditEvent.record(by, verb, locked, limit=limit, prolific=recruits_at_prolific(locked))
    return locked


@transaction.atomic
def shut_door(*, study: Study, by: User) -> None:
    """End the address for good; who is in stays in. Opening again makes another address."""
    if Study.objects.filter(pk=study.pk, door_token__isnull=False).update(door_token=None):
        AuditEvent.record(by, AuditVerb.OPEN_LINK_CLOSED, study)
