"""The only builder of what a rater may see: a whitelist of plain values, never a model.

Rater pages and answers are made from these values and nothing else. No version, writer, corpus, file or key, and no
number that counts rows, is among them; whatever else a dialogue or a study comes to hold stays out by itself. What an
item is for is not among them either: an item with known scores looks like every other.
"""

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
from annotation.rating.blinding.scenes import NAMES, Question, Scene, Side, assignment_scene, questions, scene

__all__ = [
    "NAMES",
    "BlindEnd",
    "BlindFeedback",
    "BlindItem",
    "BlindStudy",
    "BlindWelcome",
    "Question",
    "RatedPage",
    "Scene",
    "Side",
    "assignment_scene",
    "blind_end",
    "blind_feedback",
    "blind_item",
    "blind_lessons",
    "blind_rated",
    "blind_study",
    "blind_welcome",
    "questions",
    "scene",
]
