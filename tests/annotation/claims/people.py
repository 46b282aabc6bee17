"""Claims on the order of items, and on who took part."""

import re
from datetime import datetime

from annotation.design.methods.people import NOBODY
from annotation.design.texts import ORDER_PLANS
from annotation.models import Rating
from tests.annotation.claims.registry import claims
from tests.annotation.claims.sql import (
    counted,
    ends,
    is_blindable,
    number,
    of_study,
    one,
    rows,
    stored,
    unblinded,
)


@claims("|".join(f"({re.escape(text)})" for text in (
    ORDER_PLANS["chats"], ORDER_PLANS["crossed"], ORDER_PLANS["slots"],
    f"{ORDER_PLANS['crossed']} {ORDER_PLANS['pairs']}", f"{ORDER_PLANS['slots']} {ORDER_PLANS['pairs']}",
)))  # fmt: skip
def of_order(study: int, *said: str | None) -> None:
    kind, crossed = of_study("kind", study), of_study("raters_per_item", study) is None
    expected = 0 if kind == "chats" else (1 if crossed else 2) + (2 if kind == "pairs" else 0)
    assert [bool(one) for one in said].index(True) == expected


@claims(
    r"Orders follow from the seed (\d+) and from when raters came; the orders that they had are "
    r"(on record|in data/orders\.csv of the study's replication bundle)\."
)
def of_orders(study: int, seed: str, where: str) -> None:
    assert int(seed) == of_study("seed", study)
    counted = Rating.objects.counted().for_study(study)
    assert where.startswith("in data/orders.csv") == counted.exists()
    # A place that somebody had has its number in their order.
    sql = """SELECT COUNT(*) FROM annotation_rating r JOIN annotation_assignment a ON a.id = r.assignment_id
              WHERE a.study_id = %s AND a.condition > 0 AND a.turn IS NULL"""
    assert of_study("kind", study) == "chats" or one(sql, study) == 0


@claims(r"(Testers saw neither names of systems nor models|Raters saw neither versions nor writers)\.")
def of_blindness(study: int, said: str) -> None:
    assert said.startswith("Testers") == (of_study("kind", study) == "chats")


@claims(re.escape(NOBODY))
def of_nobody(study: int) -> None:
    assert not ends(study)


PARTS = {
    "excluded": re.compile(
        r"([\d,]+) (?:was|were) excluded by a researcher"
        r"(?: \(([\d,]+) before and ([\d,]+) after the study was unblinded\))?"
        r"( while the study was blind)?"
    ),
    "screened": re.compile(r"([\d,]+) (?:was|were) screened out by attention checks"),
    "failed training": re.compile(r"([\d,]+) (?:was|were) screened out by the pass mark of the training"),
    "withdrew": re.compile(r"([\d,]+) withdrew"),
    "finished": re.compile(r"([\d,]+) rated and had nothing left to rate"),
    "unfinished": re.compile(r"([\d,]+) had not finished"),
}


@claims(r"([\d,]+) (?:rater|tester)s? joined: (.+)\.")
def of_joined(study: int, count: str, parts: str) -> None:
    there = ends(study)
    assert number(count) == sum(map(len, there.values()))
    said = {}
    for part in re.split(r", | and (?=\d[\d,]* (?:was|were|with|rated|had))", parts):
        end, found = next((end, found) for end, pattern in PARTS.items() if (found := pattern.fullmatch(part)))
        said[end] = number(found[1])
        if end == "excluded":
            of_exclusions(study, [at for _, at in there["excluded"] if at], *found.groups()[1:])
    assert said == {end: len(members) for end, members in there.items()}
    of_failing(study)


def of_failing(study: int) -> None:
    """Whoever is said to have failed the training did, and whoever has rated did not."""
    least, slug = of_study("least_passed", study), of_study("rubric_id", study)
    keys = {metric["key"] for metric in stored(one("SELECT metrics FROM dialogues_rubric WHERE id = %s", slug))}
    # Whoever withdrew may have taken their ratings along.
    sql = """SELECT id, failed_training, trained_at FROM annotation_membership
              WHERE study_id = %s AND withdrawn_at IS NULL"""
    for member, has_failed, trained_at in rows(sql, study):
        assert least is not None or not has_failed
        if least is not None and (has_failed or trained_at):
            assert (first_tries_as_expected(member, keys) < least) == bool(has_failed)


def first_tries_as_expected(member: int, keys: set[str]) -> int:
    """How many training items the member's oldest rating of each scores within the item's tolerance."""
    sql = """SELECT i.expected, i.tolerance, MIN(r.id)
             FROM annotation_rating r
             JOIN annotation_assignment a ON a.id = r.assignment_id
             JOIN annotation_item i ON i.id = a.item_id
            WHERE a.membership_id = %s AND i.purpose = 'training'
            GROUP BY i.id, i.expected, i.tolerance"""
    found = 0
    for expected, tolerance, rating in rows(sql, member):
        given = dict(rows("SELECT metric, value FROM annotation_score WHERE rating_id = %s", rating))
        wanted = {key: value for key, value in stored(expected).items() if key in keys}
        found += all(abs(given[key] - value) <= tolerance for key, value in wanted.items())
    return found


def of_exclusions(
    study: int, excluded: list[datetime], before: str | None, after: str | None, blind: str | None
) -> None:
    seen = unblinded(study)
    assert bool(blind) == (seen is None and is_blindable(study))
    assert (before is not None) == (seen is not None)
    if seen is not None and before is not None and after is not None:
        late = sum(at >= seen for at in excluded)
        assert (number(before), number(after)) == (len(excluded) - late, late)


@claims(r"([\d,]+) raters? gave the ratings\.")
def of_givers(study: int, count: str) -> None:
    assert number(count) == one("SELECT COUNT(*) FROM annotation_membership WHERE study_id = %s", study)


@claims(r"([\d,]+) raters? (?:was|were) excluded by a researcher\.")
def of_excluded(study: int, count: str) -> None:
    sql = "SELECT COUNT(*) FROM annotation_membership WHERE study_id = %s AND excluded_at IS NOT NULL"
    assert number(count) == one(sql, study)


@claims(
    r"The ratings that count are by ([\d,]+) (?:rater|tester)s?(?:, among them "
    r"(?:([\d,]+) who (?:was|were) screened out)?(?: and )?(?:([\d,]+) who withdrew)?)?\."
)
def of_counted_raters(study: int, count: str, screened_out: str | None, withdrew: str | None) -> None:
    there, by_end = {member for *_, member in counted(study)}, ends(study)
    assert number(count) == len(there)
    for end, said in (("screened", screened_out), ("withdrew", withdrew)):
        assert number(said or "0") == len(there & {member for member, _ in by_end.get(end, [])})
