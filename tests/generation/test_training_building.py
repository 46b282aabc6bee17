"""Building a training set: what goes in, what is counted, what is refused, and that it is the same every time."""

import pytest
from django.db import IntegrityError, transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from dialogues.views.corpus_actions import in_the_way
from generation.models import TrainingItem, TrainingRun, TrainingSet
from generation.training import filters
from generation.training.building import SetInUseError, build, delete_set
from generation.training.examples import canonical_line, examples_of
from generation.training.recipe import Recipe, RecipeError
from tests.dialogues.rows import add_dialogue
from tests.generation.judged import family

pytestmark = pytest.mark.django_db
# Of `families(12)` as `recipe_of` takes them; another value means that sets built before would come out otherwise now.
SHA256 = "035dc501f766289c25bb8c4981b56755c54d3e1dae08605cddd231324189f370"


def families(size: int = 12, **fields: object) -> Corpus:
    """α, β, γ and Stephanie of one writer on each background."""
    corpus = Corpus.objects.create(name="Chats", **fields)
    for number in range(size):
        family(corpus, number, {"gpt": ("beta", "gamma", "stephanie")}, traits_1=["I sail."], traits_2=["I ski."])
    return corpus


def recipe_of(corpus: Corpus, **choices: object) -> Recipe:
    return Recipe.of({"corpus": corpus.pk, "validation": 0.1, "test": 0.1, **choices})


def built(corpus: Corpus, name: str = "Set", **choices: object) -> TrainingSet:
    return build(recipe_of(corpus, **choices), name, by=None)


def test_a_set_has_its_dialogues_in_order_with_their_backgrounds_and_is_counted() -> None:
    made = built(families(), versions=("stephanie", "gamma"))
    items = list(made.items.select_related("dialogue"))
    assert [item.number for item in items] == list(range(1, 25))
    order = [(item.background, item.dialogue.version_id, item.dialogue.key) for item in items]
    assert order == sorted(order)
    assert (items[0].theme, items[0].traits_1, items[0].traits_2) == ("Theme 0.", ["I sail."], ["I ski."])
    assert made.counts["splits"] == {
        "train": {"examples": 40, "dialogues": 20, "backgrounds": 10},
        "validation": {"examples": 4, "dialogues": 2, "backgrounds": 1},
        "test": {"examples": 4, "dialogues": 2, "backgrounds": 1},
    }
    assert made.counts["versions"] == {"gamma": 12, "stephanie": 12}
    # Speaker 1 begins and speaker 2 ends: as the model, speaker 1 loses its first turn and leaves the last unanswered.
    assert {row["kind"]: row["turns"] for row in made.counts["cut"]} == {"opening_turns": 24, "closing_turns": 24}
    assert (made.state, made.version, made.total, made.done) == ("built", 1, 24, 24)


def test_building_twice_gives_the_same_bytes_and_the_next_version() -> None:
    corpus = families()
    first, second = built(corpus), built(corpus)
    assert (first.version, second.version) == (1, 2)
    assert first.sha256 == second.sha256 == SHA256
    lines = [[canonical_line(*pair) for pair in examples_of(one)] for one in (first, second)]
    assert lines[0] == lines[1]


def test_a_second_click_finds_the_set_of_the_first_and_another_recipe_is_told() -> None:
    corpus = families()
    first = build(recipe_of(corpus), "Set", by=None, version=1)
    assert build(recipe_of(corpus), "Set", by=None, version=1) == first
    with pytest.raises(RecipeError, match="Set v1 was built since you looked"):
        build(recipe_of(corpus, seed=5), "Set", by=None, version=1)
    assert TrainingSet.objects.count() == 1


def test_building_and_deleting_are_audited() -> None:
    made = built(families())
    delete_set(made, by=None)
    assert not TrainingSet.objects.exists()
    assert not TrainingItem.objects.exists()
    verbs = AuditEvent.objects.filter(verb__startswith="training_set").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [AuditVerb.TRAINING_SET_BUILT, AuditVerb.TRAINING_SET_DELETED]


def test_a_built_set_never_changes() -> None:
    made = built(families())
    item = made.items.first()
    changes = (
        lambda: TrainingSet.objects.filter(pk=made.pk).update(name="Other"),
        lambda: TrainingSet.objects.filter(pk=made.pk).update(recipe={}),
        lambda: TrainingSet.objects.filter(pk=made.pk).update(state="building"),
        lambda: made.items.update(split="test"),
        lambda: made.items.all().delete(),
        lambda: TrainingItem.objects.create(
            training_set=made, number=99, split="train", dialogue=item.dialogue, background="d0"
        ),
        made.delete,
    )
    for change in changes:
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            change()
    assert built_again(made) == made.sha256


def built_again(made: TrainingSet) -> str:
    return build(Recipe.of(made.recipe), made.name, by=None).sha256


def test_a_set_that_a_training_run_uses_stays_and_so_does_its_corpus() -> None:
    made = built(families())
    TrainingRun.objects.create(training_set=made, name="First try", base="llama", method="lora")
    with pytest.raises(SetInUseError, match="First try"):
        delete_set(made, by=None)
    assert in_the_way(made.corpus) == ["training set “Set v1”"]


@pytest.mark.parametrize(
    ("choices", "field", "says"),
    [
        ({"versions": ("omega",)}, "versions", "has no version 'omega'"),
        ({"filters": {"fewest_messages": 99}}, "filters", "“Fewest messages 99” dropped most of them"),
        ({"filters": {"loudness": 3}}, "filters", "There is no filter 'loudness'"),
        ({"filters": {"kept": float("nan")}}, "filters", "Words kept, at least: write a number"),
        ({"filters": {"judge": {"metric": "natural", "at_least": 50}}}, "metric", "No dialogue has such a score yet"),
        ({"sources": {"writer": ["nobody"]}}, "sources", "no writer 'nobody'"),
        ({"delimiter": "hello"}, "delimiter", "12 dialogues hold the delimiter 'hello', such as d0-gpt-stephanie"),
        ({"kind": "preferences", "preferred_by": "judge", "metric": "natural"}, "metric", "No dialogue has such"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence_and_leaves_nothing(
    choices: dict[str, object], field: str, says: str
) -> None:
    corpus = families()
    with pytest.raises(RecipeError, match=says) as refused:
        built(corpus, **choices)
    assert refused.value.field == field
    assert not TrainingSet.objects.exists()
    assert not TrainingItem.objects.exists()


def test_too_few_backgrounds_are_refused() -> None:
    with pytest.raises(RecipeError, match="2 backgrounds are too few"):
        built(families(2))


def test_a_corpus_of_people_who_gave_no_consent_is_refused_and_one_with_consent_is_not() -> None:
    corpus = families(personal_data="yes")
    with pytest.raises(RecipeError, match="no consent is recorded"):
        built(corpus)
    Corpus.objects.filter(pk=corpus.pk).update(consent="Training is fine, they wrote.")
    assert built(corpus).is_built


def test_a_dialogue_that_one_side_cannot_make_is_counted_with_its_key() -> None:
    corpus = families()
    add_dialogue(corpus, "short", [[1, "hi"], [2, "hello"]], "stephanie", written_by="gpt")
    add_dialogue(corpus, "alone", [[1, "anybody there ?"]], "stephanie", written_by="gpt")
    add_dialogue(corpus, "marked", [[1, "hi"], [2, "so <|eot_id|>"], [1, "bye"]], "stephanie", written_by="gpt")
    made = built(corpus)
    assert {row["reason"]: (row["dialogues"], row["sides"], row["keys"]) for row in made.counts["refused"]} == {
        "control_mark_in_text": (1, 2, ["marked"]),
        "no_exchange": (2, 3, ["alone", "short"]),
    }
    assert made.items.filter(dialogue__key="short").exists()
    assert not made.items.filter(dialogue__key__in=("alone", "marked")).exists()


def test_demo_texts_mark_the_set() -> None:
    corpus = families()
    assert built(corpus).counts["labels"] == {"demo": False, "simulated": False}
    corpus.dialogues.filter(key="d3-gpt-stephanie").update(is_demo=True)
    assert built(corpus).counts["labels"]["demo"]


def test_a_preference_set_pairs_the_versions_of_a_background() -> None:
    corpus = families()
    for row in corpus.dialogues.filter(version="beta"):
        row.messages[1][1] = "hey"
        type(row).objects.filter(pk=row.pk).update(messages=row.messages)
    made = built(corpus, kind="preferences")
    assert made.items.count() == 12
    for item in made.items.select_related("dialogue", "worse"):
        assert item.worse is not None
        assert (item.dialogue.version_id, item.worse.version_id) == ("stephanie", "beta")
        assert item.dialogue.origin_id == item.worse.origin_id
    (pairing,) = made.counts["filters"]
    assert pairing == {
        "name": "pairs", "label": "With a dialogue of beta on the same background", "dropped": 0, "left": 12,
    }  # fmt: skip


def test_pairs_that_say_the_same_are_refused_by_name() -> None:
    with pytest.raises(RecipeError, match="Both dialogues answer the same"):
        built(families(), kind="preferences")


def test_all_versions_of_a_background_are_in_one_split() -> None:
    made = built(families(30), versions=("alpha", "beta", "gamma", "stephanie"), validation=0.3, test=0.3)
    splits: dict[str, set[str]] = {}
    for background, split in made.items.values_list("background", "split"):
        splits.setdefault(background, set()).add(split)
    assert len(splits) == 30
    assert all(len(found) == 1 for found in splits.values())
    assert set().union(*splits.values()) == {"train", "validation", "test"}


def test_the_usual_filters_leave_out_what_studies_rate_and_take_one_dialogue_each() -> None:
    assert filters.usual_values() == {"unrated": True, "once": True}
    places = [one.place for one in filters.in_order()]
    assert places == sorted(places)
