"""Rows every installation has: the paper's versions and the two rubrics."""

from typing import Any

from django.utils import timezone

from dialogues import rubric
from dialogues.models import Rubric, Version

VERSIONS = (
    ("alpha", "α", "Original", "The dialogue as it came with the corpus."),
    ("beta", "β", "Generated single-step", "Written by a model, one message a turn."),
    ("gamma", "γ", "Generated step-by-step", "Written by a model, several messages a turn."),
    ("stephanie", "Stephanie", "Further-split", "A model's rewrite of γ into more, shorter messages."),
    ("punctuation", "β-split", "Punctuation split", "β cut after every sentence, without a model: the baseline."),
    (
        "restructured",
        "By hand",
        "Restructured by hand",
        "A person's rewrite of a generated dialogue, reviewed by another.",
    ),
    ("first-answer", "1st", "First answer", "The first of two answers that models gave to one prompt."),
    ("second-answer", "2nd", "Second answer", "The second of two answers that models gave to one prompt."),
)
# Colours of versions that have none of their own: a corpus with these has no β and no γ.
HUES = {"first-answer": "beta", "second-answer": "gamma"}

RUBRICS = (
    ("paper-six", "The paper's six metrics", rubric.PAPER_SIX),
    ("chat-four", "Four metrics for live chats", rubric.CHAT_FOUR),
)


def sync(**kwargs: Any) -> None:
    """Add what is missing after a migration; never touch what is there."""
    Version.objects.bulk_create(
        [
            Version(
                slug=slug,
                symbol=symbol,
                name=name,
                description=description,
                hue=HUES.get(slug, slug),
                position=position,
            )
            for position, (slug, symbol, name, description) in enumerate(VERSIONS, 1)
        ],
        ignore_conflicts=True,
    )
    shared = {
        "scale_low": rubric.HUMAN_SCALE.low,
        "scale_high": rubric.HUMAN_SCALE.high,
        # A preset means the same everywhere, so it can be copied but never changed.
        "frozen_at": timezone.now(),
    }
    Rubric.objects.bulk_create(
        [Rubric(slug=slug, name=name, metrics=rubric.to_json(metrics), **shared) for slug, name, metrics in RUBRICS],
        ignore_conflicts=True,
    )
