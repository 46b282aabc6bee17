"""People, the dialogues they restructure, the studies they rate in, and the scores."""

from annotation.models.assignments import NO_LEASE, Assignment, AssignmentQuerySet
from annotation.models.chats import Chat, ChatEvent, ChatQuerySet, ChatRating
from annotation.models.memberships import Departure, Membership, MembershipQuerySet
from annotation.models.people import ApiToken, Invitation, InvitationQuerySet, PasswordTries, Profile
from annotation.models.ratings import Adjudication, Rating, RatingQuerySet, Score
from annotation.models.restructuring import Operation, Remark, Restructuring, RestructuringQuerySet
from annotation.models.studies import ChatSystem, FrozenDesignError, Item, Study
from annotation.models.system_preferences import SystemPreference, SystemPreferenceQuerySet
from annotation.models.tokens import opaque_token

__all__ = [
    "NO_LEASE",
    "Adjudication",
    "ApiToken",
    "Assignment",
    "AssignmentQuerySet",
    "Chat",
    "ChatEvent",
    "ChatQuerySet",
    "ChatRating",
    "ChatSystem",
    "Departure",
    "FrozenDesignError",
    "Invitation",
    "InvitationQuerySet",
    "Item",
    "Membership",
    "MembershipQuerySet",
    "Operation",
    "PasswordTries",
    "Profile",
    "Rating",
    "RatingQuerySet",
    "Remark",
    "Restructuring",
    "RestructuringQuerySet",
    "Score",
    "Study",
    "SystemPreference",
    "SystemPreferenceQuerySet",
    "opaque_token",
]
