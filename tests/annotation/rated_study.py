"""Whole studies with their scores, written straight through the models."""

import random
from collections.abc import Callable
from itertools import product

from django.contrib.auth.models import User

from annotation.models import NO_LEASE, Assignment, Item, Membership, Profile, Rating, Score, Study
from annotation.reports import unblinding
from annotation.triggers import TRIGGERS
from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.transcript import Transcript

VERSIONS = ("alpha", "beta", "gamma", "stephanie")
# Messages in a row, by version: α and β alternate, γ and Stephanie come in bursts.
RUNS = {"alpha": (1, 1, 1, 1), "beta": (1, 1, 1, 1), "gamma": (2, 1, 2, 2), "stephanie": (3, 2, 7, 1)}

# (rater, background, version slug, metric key) → a score, or None for no rating at all.
Scorer = Callable[[int, int, str, str], int | None]


def seeded_scorer(seed: int = 1) -> Scorer:
    """Scores that mostly agree: a base for each item and metric, one point up or down by rater."""
    rng = random.Random(seed)
    bases: dict[tuple[int, str, str], int] = {}

    def score(rater: int, background: int, version: str, metric: str) -> int:
        base = bases.setdefault((background, version, metric), rng.randint(1, 5))
        return min(5, max(1, base + rng.choice((-1, 0, 0, 1))))

    return score


def rated_study(
    *,
    name: str = "Pilot",
    backgrounds: int = 6,
    versions: tuple[str, ...] = VERSIONS,
    raters: int = 3,
    simulated: bool = False,
    score: Scorer | None = None,
    comment: str = "",
) -> Study:
    """An open, unblinded study in which every rater has scored every item, unless `score` answers None."""
    study = unrated_study(name=name, backgrounds=backgrounds, versions=versions, simulated=simulated)
    members = [join(study, number, simulated=simulated) for number in range(raters)]
    rate(study, members, score or seeded_scorer(), comment)
    return study


def unrated_study(
    *, name: str = "Pilot", backgrounds: int = 6, versions: tuple[str, ...] = VERSIONS, simulated: bool = False
) -> Study:
    corpus = Corpus.objects.create(name=f"{name} corpus")
    rubric = Rubric.objects.get(slug="paper-six")
    state = Study.State.OPEN
    study = Study.objects.create(
        name=name, corpus=corpus, rubric=rubric, seed=7, is_simulated=simulated, state=state, raters_per_item=3
    )
    study.versions.set(Version.objects.filter(slug__in=versions))
    unblinding.unblind(study=study, by=None, how="on purpose")
    originals = Dialogue.objects.bulk_create(dialogue(corpus, number, "alpha") for number in range(backgrounds))
    later = [version for version in versions if version != "alpha"]
    Dialogue.objects.bulk_create(
        dialogue(corpus, number, slug, origin=original)
        for (number, original), slug in product(enumerate(originals), later)
    )
    chosen = Dialogue.objects.filter(corpus=corpus, version__in=versions).order_by("pk")
    Item.objects.bulk_create(
        Item(study=study, dialogue=row, background_id=row.origin_id or row.pk, position=position)
        for position, row in enumerate(chosen)
    )
    return study


def dialogue(corpus: Corpus, number: int, version: str, origin: Dialogue | None = None) -> Dialogue:
    pairs = [
        (1 + place % 2, f"message {number} of {length} here.")
        for place, length in enumerate(RUNS[version])
        for _ in range(length)
    ]
    return Dialogue.from_transcript(
        Transcript.of(pairs),
        corpus=corpus,
        key=f"{version}-{number}",
        version_id=version,
        origin=origin,
        parent=origin,
        written_by="" if version == "alpha" else "demo-model",
        is_demo=version != "alpha",
    )


def join(study: Study, number: int, *, simulated: bool = False) -> Membership:
    user = User.objects.create(username=f"rater-{study.pk}-{number}@example.org")
    Profile.objects.update_or_create(
        user=user, defaults={"pseudonym": f"R-{study.pk}-{number}", "is_simulated": simulated}
    )
    return Membership.objects.create(study=study, rater=user, seed=number)


def rate(study: Study, members: list[Membership], score: Scorer, comment: str = "") -> None:
    """One submitted rating an item and member, unless `score` answers None for its metrics."""
    metrics = [metric.key for metric in study.rubric.metric_list()]
    before = study.memberships.count() - len(members)
    items = list(study.items.select_related("dialogue"))
    numbers = {pk: number for number, pk in enumerate(sorted({item.background_id for item in items}))}
    answers = [
        (item, rater, [score(rater, numbers[item.background_id], item.dialogue.version_id, key) for key in metrics])
        for rater, item in product(range(len(members)), items)
    ]
    answers = [answer for answer in answers if None not in answer[2]]
    assignments = Assignment.objects.bulk_create(
        Assignment(
            study=study,
            item=item,
            membership=members[rater],
            position=item.position,
            state="submitted",
            slot=before + rater + 1,
            condition=1,
            lease_until=NO_LEASE,
        )
        for item, rater, _ in answers
    )
    ratings = Rating.objects.bulk_create(Rating(assignment=one, comment=comment) for one in assignments)
    Score.objects.bulk_create(
        Score(rating=rating, metric=key, value=value, scale_low=1, scale_high=5)
        for rating, (_, _, values) in zip(ratings, answers, strict=True)
        for key, value in zip(metrics, values, strict=True)
    )


def pair_study() -> Study:
    """β and γ side by side on four backgrounds by two raters; γ wins but for one background, half of it flipped."""
    return compared_study([("beta", "gamma")], 2, lambda _, position: 1 if position > 0 else -1)


def compared_study(
    pairs: list[tuple[str, str]], raters: int, choice: Callable[[int, int], int | None], backgrounds: int = 4
) -> Study:
    """Pairs of versions side by side. `choice` of rater and position of the item is 1 for the pair's second version,
    −1 for its first, 0 for a tie, and None where the rater has not compared them; every second rater's are flipped."""
    study = unrated_study(backgrounds=backgrounds)
    with TRIGGERS.lifted():
        Study.objects.filter(pk=study.pk).update(kind="pairs", pairs=[*map(list, pairs)], raters_per_item=None)
    study.refresh_from_db()
    Item.objects.filter(study=study).delete()
    study.versions.set({slug for pair in pairs for slug in pair})
    dialogues = {(row.origin_id or row.pk, row.version_id): row for row in study.corpus.dialogues.all()}
    originals = sorted({pk for pk, _ in dialogues})
    members = [join(study, number) for number in range(raters)]
    for position, (pk, pair) in enumerate(product(originals, pairs)):
        # Every second background has the later version first, so that the order of an item must not matter.
        is_ordered = originals.index(pk) % 2 == 0
        first, second = pair if is_ordered else pair[::-1]
        item = Item.objects.create(
            study=study, dialogue=dialogues[pk, first], other=dialogues[pk, second], background_id=pk,
            position=position,
        )  # fmt: skip
        for number, member in enumerate(members):
            if (value := choice(number, position)) is not None:
                _compare(item, member, value if is_ordered else -value, is_flipped=number % 2 == 1)
    return study


def _compare(item: Item, member: Membership, value: int, *, is_flipped: bool) -> None:
    given = Assignment.objects.create(
        study=item.study, item=item, membership=member, position=item.position, state="submitted", is_flipped=is_flipped
    )
    rating = Rating.objects.create(assignment=given)
    for metric in item.study.rubric.metric_list():
        Score.objects.create(rating=rating, metric=metric.key, value=value, scale_low=-1, scale_high=1)
