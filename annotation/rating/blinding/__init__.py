"""The only source of what a rater may see: a whitelist of plain values, never a model.

Rating pages and responses are built from these values alone. They include no version, writer, corpus, file or key, and
no number that counts rows; new fields of a dialogue or study stay out automatically. An item's purpose is not included
either: an item with known scores looks like every other.
"""

from annotation.rating.blinding.chats import BlindChat, blind_chat
from annotation.rating.blinding.items import BlindItem, BlindStudy, blind_item, blind_study
from annotation.rating.blinding.pages import (
    BlindEnd,
    BlindFeedback,
    BlindWelcome,
    RatedPage,
    blind_end,
    blind_feedback,
    blind_lessons,
    blind_rated,
    blind_welcome,
)
from annotation.rating.blinding.preferences import BlindPreference, Partner, blind_preference
from annotation.rating.blinding.scenes import NAMES, Question, Scene, Side, assignment_scene, questions, scene

__all__ = [
    "NAMES",
    "BlindChat",
    "BlindEnd",
    "BlindFeedback",
    "BlindItem",
    "BlindPreference",
    "BlindStudy",
    "BlindWelcome",
    "Partner",
    "Question",
    "RatedPage",
    "Scene",
    "Side",
    "assignment_scene",
    "blind_chat",
    "blind_end",
    "blind_feedback",
    "blind_item",
    "blind_lessons",
    "blind_preference",
    "blind_rated",
    "blind_study",
    "blind_welcome",
    "questions",
    "scene",
]
