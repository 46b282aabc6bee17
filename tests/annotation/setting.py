"""A small world for study tests: a corpus with its versions, people, studies."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, User

from annotation.design import checks, drafting, launch
from annotation.models import Item, Membership, Study
from annotation.people import memberships
from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.rubric import Metric, to_json
from dialogues.transcript import Transcript

ALL = ("alpha", "beta", "gamma", "stephanie")
KEYS = ("interesting", "informative", "natural", "engaging", "on_topic", "on_persona")
SCORES = dict.fromkeys(KEYS, 4)


def user(name: str, role: str = "rater") -> User:
    """An account without a password: tests log it in by its session, which costs no hashing."""
    person = User.objects.create(username=name)
    person.groups.add(Group.objects.get(name=role))
    return person


def dialogue(corpus: Corpus, key: str, version: str, text: str, **fields: Any) -> Dialogue:
    transcript = Transcript.of([[1, f"hello , {text}"], [2, "hi there !"], [2, f"i am well , {text}"], [1, "good"]])
    row = Dialogue.from_transcript(transcript, corpus=corpus, key=key, version_id=version, **fields)
    row.save()
    return row


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
