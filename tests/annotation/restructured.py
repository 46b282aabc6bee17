"""Restructurings for tests: a γ to work on, and somebody who was asked to."""

from typing import Any

from django.contrib.auth.models import User

from annotation.models import Restructuring
from dialogues.models import Corpus, Dialogue
from tests.annotation import setting
from tests.dialogues.rows import add_dialogue

CHAT = [
    [1, "hi there, how are you today?"],
    [2, "pretty good, thanks. just got back from a run!"],
    [2, "and you?"],
    [1, "not bad at all. i was baking bread 🍞 and it came out great."],
    [2, "oh nice, what kind?"],
    [1, "rye. my grandmother's recipe."],
    [1, "she taught me when i was little"],
    [2, "that is lovely. i can't bake to save my life, but i cook a bit."],
    [1, "what do you like to cook?"],
    [2, "mostly noodles. i lived in japan for a year, so ramen is my thing."],
    [1, "wow, japan! i have always wanted to go there. was it hard to leave?"],
    [2, "it was. i still miss the trains and the quiet mornings."],
    [1, "i can imagine."],
    [1, "do you speak japanese then?"],
    [2, "a little. enough to order food and get lost politely 😄"],
    [1, "ha, that is the most important part!"],
]


def gamma(messages: list[Any] | None = None, *, key: str = "d0", **fields: Any) -> Dialogue:
    """A γ of its own background in a corpus "Seeds"."""
    corpus, _ = Corpus.objects.get_or_create(name="Seeds")
    alpha = setting.dialogue(corpus, key, "alpha", "a start")
    fields |= {"written_by": "some-model", "theme": "Two people talk about food."}
    return add_dialogue(corpus, f"{key}.gamma", messages or CHAT, "gamma", origin=alpha, **fields)


def asked(annotator: User | str = "ann", of: Dialogue | None = None, **fields: Any) -> Restructuring:
    """Somebody's copy of a γ, untouched."""
    person = setting.user(annotator) if isinstance(annotator, str) else annotator
    original = of or gamma()
    return Restructuring.objects.create(original=original, annotator=person, messages=original.messages, **fields)
