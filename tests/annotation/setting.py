"""A small world for study tests: a corpus with its versions, people, studies."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from annotation.design import checks, drafting, launch
from annotation.models import Assignment, Item, Membership, Rating, Study
from annotation.people import memberships
from annotation.rating import queue
from annotation.rating.answers import Answer
from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.rubric import Metric, to_json
from tests.dialogues.rows import add_dialogue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TWO = ("alpha", "beta")
ALL = ("alpha", "beta", "gamma", "stephanie")
KEYS = ("interesting", "informative", "natural", "engaging", "on_topic", "on_persona")
SCORES = dict.fromkeys(KEYS, 4)
ANSWER = Answer(SCORES)


def user(name: str, role: str = "rater") -> User:
    """An account without a password: tests log it in by its session, which costs no hashing."""
    person = User.objects.create(username=name)
    person.groups.add(Group.objects.get(name=role))
    return person


def dialogue(corpus: Corpus, key: str, version: str, text: str, **fields: Any) -> Dialogue:
    messages = [[1, f"hello , {text}"], [2, "hi there !"], [2, f"i am well , {text}"], [1, "good"]]
    return add_dialogue(corpus, key, messages, version, **fields)


def corpus(backgrounds: int = 3, versions: Iterable[str] = ALL, name: str = "Chats") -> Corpus:
    """`backgrounds` originals, each with the other versions written from it."""
    made = Corpus.objects.create(name=name)
    for number in range(backgrounds):
        traits = {"traits_1": [f"i like sport {number} ."], "traits_2": [f"i have {number + 2} cats ."]}
        original = dialogue(made, f"d{number}", "alpha", f"words {number}", **traits)
        for version in versions:
            if version != "alpha":
                dialogue(
                    made,
                    f"d{number}-{version}",
                    version,
                    f"words {number} again",
                    origin=original,
                    parent=original,
                    theme=f"Two people talk about subject {number}.",
                    written_by="secret-writer-9000",
                    **traits,
                )
    return made


def draft(k: int | None = None, *, of: Corpus | None = None, versions: Iterable[str] = ALL, **fields: Any) -> Study:
    design_fields: dict[str, Any] = {
        "name": f"Study {Study.objects.count() + 1}",
        "corpus": of or corpus(versions=versions),
        "rubric": Rubric.objects.get(slug="paper-six"),
        "raters_per_item": k,
        "seed": 7,
        **fields,
    }
    return drafting.create_study(by=None, versions=Version.objects.filter(pk__in=versions), **design_fields)


def rubric(*keys: str) -> Rubric:
    """Questions of these keys: with few of them much is found faster."""
    questions = to_json(tuple(Metric(key, key, "A question.", "low", "high") for key in keys))
    return Rubric.objects.create(slug="few", name="Few questions", metrics=questions)


def check(of: Study, kept: Dialogue, purpose: str = "training", **fields: Any) -> Item:
    """A training, gold or attention item of a draft."""
    values = {"expected": dict(SCORES), "tolerance": 1, **fields}
    return checks.add_check(study=of, purpose=purpose, dialogue=kept, by=None, **values)


def study(k: int | None = None, **fields: Any) -> Study:
    return launch.launch(study=draft(k, **fields), by=None)


def member(of: Study, name: str) -> Membership:
    return memberships.join(study=of, rater=User.objects.filter(username=name).first() or user(name), by=None)


def fresh(rater: Membership) -> Membership:
    """Read anew, with what the queue needs of it."""
    return Membership.objects.select_related("study__rubric", "rater").get(pk=rater.pk)


def even(value: int) -> Answer:
    """The same score for every question."""
    return Answer(dict.fromkeys(KEYS, value))


def take(rater: Membership, now: datetime = NOW) -> Assignment:
    """The item that the queue gives them next."""
    held = queue.next_assignment(rater, now=now)
    assert held is not None
    return held


def rate(rater: Membership, answer: Answer = ANSWER, now: datetime = NOW) -> Assignment:
    """Take the next item and submit; gives what was rated."""
    held = take(rater, now)
    queue.submit(rater.rater, held.token, submission_id=held.submission_id, answer=answer, now=now)
    return held


def rate_all(rater: Membership, answer: Answer = ANSWER) -> list[Assignment]:
    """Rate everything there is for them, an item a second; gives it in its order."""
    rated: list[Assignment] = []
    while queue.next_assignment(fresh(rater), now=NOW + timedelta(seconds=len(rated))):
        rated.append(rate(fresh(rater), answer, NOW + timedelta(seconds=len(rated))))
    return rated


def counted(of: Study) -> Counter[int]:
    """How many counted ratings each item has."""
    return Counter(Rating.objects.counted().for_study(of).values_list("assignment__item_id", flat=True))


def open_item(client: Client, rater: Membership) -> Any:
    """Open the next item's page; gives the item as the page has it."""
    page: Any = client.get(reverse("rate_next", args=[rater.token]), follow=True)
    return page.context["item"]


def send(client: Client, name: str, token: str, **data: Any) -> Any:
    """Post as the rating page's script does."""
    return client.post(reverse(name, args=[token]), data, content_type="application/json")
