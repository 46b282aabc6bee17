"""People, the dialogues they restructure, the studies they rate in, and the scores."""

from annotation.models.people import ApiToken, Invitation, InvitationQuerySet, Profile
from annotation.models.restructuring import Operation, Remark, Restructuring, RestructuringQuerySet
from annotation.models.studies import (
    NO_LEASE,
    Assignment,
    Item,
    Membership,
    Rating,
    RatingQuerySet,
    Score,
    Study,
)
from annotation.models.tokens import opaque_token

__all__ = [
    "NO_LEASE",
    "ApiToken",
    "Assignment",
    "Invitation",
    "InvitationQuerySet",
    "Item",
    "Membership",
    "Operation",
    "Profile",
    "Rating",
    "RatingQuerySet",
    "Remark",
    "Restructuring",
    "RestructuringQuerySet",
    "Score",
    "Study",
    "opaque_token",
]
