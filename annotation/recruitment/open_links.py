"""A study's open link: one address through which anybody, or anybody from Prolific, joins as a rater.

A visitor who joins gets a rater account without a password. Their session keeps them logged in; a *return link*, signed
for one membership, lets them continue on another device. So does Prolific's participant id.
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
from annotation.models.people import PSEUDONYM_LETTERS, profile_of
from annotation.people import memberships
from annotation.people.memberships import LeftError, join
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.transcript import text_problem

PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
# Prolific's ids are 24 hexadecimal digits. Only the participant's id decides anything, so only its format is strict.
PARTICIPANT = re.compile(r"[0-9a-f]{24}")
OTHER_ID = re.compile(r"[A-Za-z0-9_-]{0,60}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,32}")
LONGEST_NAME = 80
GUEST = "guest-"
# Return links that people hold are signed with this salt: it never changes, whatever this module is called.
_return_links = Signer(salt="annotation.people.doors")


class OpenLinkError(Exception):
    """The link admits nobody new: it is unknown, closed or full, or its study is not open."""


class ParameterError(ValueError):
    """Prolific's parameters are missing or malformed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Recruit:
    """Prolific's three parameters, checked; all empty when the study does not recruit there."""

    participant: str = ""
    study: str = ""
    session: str = ""

    @classmethod
    def read(cls, study: Study, values: dict[str, str]) -> Self:
        """Check the parameters of a visitor's address; raises ParameterError."""
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
    """Whether the study has a completion code; its open link then asks for Prolific's parameters."""
    return bool(study.completion_code)


def find(token: str) -> Study:
    """The launched study of an open link, whatever its state; raises OpenLinkError."""
    if not TOKEN.fullmatch(token):
        raise OpenLinkError
    study = Study.objects.filter(door_token=token, is_simulated=False).exclude(state=Study.State.DRAFT).first()
    if study is None:
        raise OpenLinkError
    return study


def taken(study: Study) -> int:
    """How many members count towards the link's limit: those still active, so one who leaves makes room."""
    return study.memberships.active().count()


def is_full(study: Study) -> bool:
    return study.door_limit is not None and taken(study) >= study.door_limit


def must_let_in(study: Study) -> None:
    """Raise OpenLinkError when nobody new can join now."""
    if not study.is_open or is_full(study):
        raise OpenLinkError


@transaction.atomic
def enter(*, study: Study, recruit: Recruit, name: str = "", user: User | None = None) -> Membership:
    """The visitor's membership, made at their first visit; a participant id always finds its one membership.

    A logged-in `user` joins with their own account. Raises OpenLinkError when the link admits nobody new, LeftError for
    somebody who withdrew and left their scores behind.
    """
    # Two visitors at one moment take turns here: the limit holds, and nobody joins twice.
    locked = Study.objects.select_for_update().get(pk=study.pk)
    known = known_member(locked, recruit, user)
    if known is not None:
        return known
    if locked.door_token != study.door_token:
        raise OpenLinkError
    must_let_in(locked)
    membership = join(study=locked, rater=user or _guest(name), by=None)
    if recruit.participant:
        membership.prolific_pid, membership.prolific_study = recruit.participant, recruit.study
        membership.prolific_session = recruit.session
        membership.save(update_fields=["prolific_pid", "prolific_study", "prolific_session"])
    return membership


def known_member(study: Study, recruit: Recruit, user: User | None) -> Membership | None:
    """The visitor's existing membership: by participant id when the study recruits at Prolific, else by account.

    Raises LeftError for somebody who withdrew and left their scores behind.
    """
    members = study.memberships.select_related("rater", "study")
    if recruit.participant:
        found = members.filter(prolific_pid=recruit.participant).first()
    else:
        found = members.filter(rater=user).first() if user is not None else None
    asked_as = None if recruit.participant else user
    if found is None and memberships.has_left(study=study, rater=asked_as, participant=recruit.participant):
        raise LeftError
    return found


def return_token(membership: Membership) -> str:
    """The last part of a return link's address; it opens this membership's account and nothing else."""
    return _return_links.sign(membership.token)


def find_return(token: str) -> Membership:
    """The membership of a return link; raises the same OpenLinkError whatever the reason it opens nothing."""
    try:
        membership_token = _return_links.unsign(token)
    except BadSignature as error:
        raise OpenLinkError from error
    found = Membership.objects.present().select_related("rater", "study").filter(token=membership_token).first()
    if found is None or not has_return_link(found):
        raise OpenLinkError
    return found


def has_return_link(membership: Membership) -> bool:
    """Whether the account joined through an open link and is still a plain guest: no password, no other role."""
    rater = membership.rater
    return (
        rater.username.startswith(GUEST)
        and rater.is_active
        and not rater.has_usable_password()
        and not rater.is_superuser
        and role_of(rater) == Role.RATER
    )


def _guest(name: str) -> User:
    user = User(
        username=GUEST + "".join(secrets.choice(PSEUDONYM_LETTERS) for _ in range(10)), first_name=_tidy_name(name)
    )
    user.set_unusable_password()
    user.save()
    user.groups.add(Group.objects.get(name=Role.RATER.value))
    profile_of(user)
    return user


def _tidy_name(name: str) -> str:
    name = " ".join(name.split())[:LONGEST_NAME]
    return "" if text_problem(name) else name


@transaction.atomic
def set_open_link(*, study: Study, limit: int | None, completion_code: str, screen_out_code: str, by: User) -> Study:
    """Open the study's link, or change its limit and codes; the address stays the same while it is open."""
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if not locked.takes_raters:
        raise OpenLinkError
    is_new = locked.door_token is None
    locked.door_token = locked.door_token or opaque_token()
    locked.door_limit = limit
    locked.completion_code, locked.screen_out_code = completion_code, screen_out_code
    locked.save(update_fields=["door_token", "door_limit", "completion_code", "screen_out_code"])
    verb = AuditVerb.OPEN_LINK_OPENED if is_new else AuditVerb.OPEN_LINK_CHANGED
    AuditEvent.record(by, verb, locked, limit=limit, prolific=recruits_at_prolific(locked))
    return locked


@transaction.atomic
def close_open_link(*, study: Study, by: User) -> None:
    """Close the address for good; members stay. Opening a link again makes another address."""
    if Study.objects.filter(pk=study.pk, door_token__isnull=False).update(door_token=None):
        AuditEvent.record(by, AuditVerb.OPEN_LINK_CLOSED, study)
