"""Studies with all that a rater meets beside plain items: consent, practice, checks, pairs."""

from typing import Any

from django.db.models import F

from annotation.models import Assignment, Item, Membership, Study
from dialogues.models import Dialogue
from tests.annotation.setting import KEYS, TWO, corpus, study

# Far from what the tests choose unless they mean to fail.
EXPECTED = dict.fromkeys(KEYS, 4)
NOTE = "The two people greet each other, so Natural is high."
ORDER = "This time choose 2 for every question."


def add_item(of: Study, purpose: str, **fields: Any) -> Item:
    """One more item, on a dialogue that the study has."""
    position = of.items.order_by("-position").values_list("position", flat=True)[0] + 1
    like = of.items.order_by("position").first()
    assert like is not None
    like.pk, like.purpose, like.position = None, purpose, position
    for name, value in fields.items():
        setattr(like, name, value)
    like._state.adding = True
    like.save()
    return like


def with_training(of: Study, lessons: int = 2) -> Study:
    dialogues = of.items.filter(purpose="rated").values_list("dialogue", flat=True)[:lessons]
    for dialogue in dialogues:
        add_item(of, "training", dialogue_id=dialogue, expected=EXPECTED, tolerance=1, note=NOTE)
    return of


def with_checks(of: Study) -> Study:
    """A gold item that expects 4s, and an attention check that asks for 2s."""
    add_item(of, "gold", expected=EXPECTED, tolerance=1)
    add_item(of, "attention", expected=dict.fromkeys(KEYS, 2), tolerance=0, note=ORDER)
    return of


def checked(raters_per_item: int | None = None, **fields: Any) -> Study:
    made = study(raters_per_item, of=corpus(2, TWO, name=fields.pop("corpus_name", "Checked")), versions=TWO, **fields)
    return with_checks(made)


def give_checks(rater: Membership) -> None:
    """The rater's own places on gold and attention items, due at once, unless they have them already."""
    for item in rater.study.items.exclude(purpose__in=("rated", "training")):
        Assignment.objects.get_or_create(
            item=item, membership=rater, defaults={"study_id": rater.study_id, "position": 0}
        )
    places = Assignment.objects.filter(membership=rater)
    places.filter(item__purpose="rated").update(position=F("position") + 2)
    places.filter(item__purpose="gold").update(position=0)
    places.filter(item__purpose="attention").update(position=1)


def pairs(backgrounds: int = 2, **fields: Any) -> Study:
    """Everyone compares α (the item's dialogue) with β of each background."""
    made = study(of=corpus(backgrounds, TWO, name="Paired"), versions=("alpha",), **fields)
    for item in made.items.all():
        item.other = Dialogue.objects.get(origin=item.background, version="beta")
        item.save(update_fields=["other"])
    Study.objects.filter(pk=made.pk).update(kind=Study.Kind.PAIRS)
    made.refresh_from_db()
    return made
