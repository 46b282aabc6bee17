"""What each sentence of a methods text claims, checked by SQL of its own: none of the product's queries is used.

`check_methods` knows every sentence there is: one that fits no claim fails.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from statistics import median
from typing import Any

from django.db import connection
from django.utils import timezone

from annotation.design.methods import analyses, paragraphs
from annotation.design.methods.items import SIMULATED
from annotation.design.methods.people import FATES, NO_RATING, NOBODY
from annotation.design.plan_text import INTERVALS, INTERVALS_OF_PAIRS, MODELS, MODELS_OF_THESE
from annotation.design.texts import ORDER_PLANS
from annotation.models import Rating, Study

Claim = Callable[..., None]
CLAIMS: list[tuple[re.Pattern[str], Claim]] = []


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def one(sql: str, *params: Any) -> Any:
    return rows(sql, *params)[0][0]


def of_study(column: str, study: int) -> Any:
    return one(f"SELECT {column} FROM annotation_study WHERE id = %s", study)


def stored(value: Any) -> Any:
    """A JSON column as raw SQL gives it."""
    return json.loads(value) if isinstance(value, str) else value


def events(study: int, *verbs: str) -> list[tuple[datetime, dict[str, Any]]]:
    """(at, detail) of the audit trail's rows, the oldest first."""
    marks = ", ".join(["%s"] * len(verbs))
    sql = f"SELECT at, detail FROM dialogues_auditevent WHERE subject = %s AND verb IN ({marks}) ORDER BY id"
    return [(as_time(at), stored(detail)) for at, detail in rows(sql, f"study:{study}", *verbs)]


def as_time(at: Any) -> datetime:
    """SQLite gives times as text."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_default_timezone())


def day(at: Any) -> str:
    local = timezone.localtime(as_time(at))
    return f"{local.day} {local:%B %Y}"


def number(text: str) -> int:
    return int(text.replace(",", ""))


def is_blindable(study: int) -> bool:
    return not (of_study("is_simulated", study) or of_study("is_imported", study))


RATINGS = """
SELECT r.id, a.item_id, a.membership_id, r.is_current, a.slot, m.excluded_at, m.screened_out_at, m.withdrawn_at,
       s.raters_per_item, s.counts_screened_out, s.withdrawal, s.is_simulated, COALESCE(p.is_simulated, FALSE),
       (SELECT COUNT(*) FROM annotation_rating n WHERE n.supersedes_id = r.id)
  FROM annotation_rating r
  JOIN annotation_assignment a ON a.id = r.assignment_id
  JOIN annotation_item i ON i.id = a.item_id
  JOIN annotation_membership m ON m.id = a.membership_id
  JOIN annotation_study s ON s.id = a.study_id
  LEFT JOIN annotation_profile p ON p.user_id = m.rater_id
 WHERE s.id = %s AND i.purpose = 'rated'
"""
COUNTED = f"""
SELECT id, item_id, membership_id FROM ({RATINGS}
   AND r.is_current AND (s.raters_per_item IS NULL OR a.slot IS NOT NULL) AND m.excluded_at IS NULL
   AND (m.screened_out_at IS NULL OR s.counts_screened_out)
   AND (m.withdrawn_at IS NULL OR s.withdrawal = 'keep')
   AND COALESCE(p.is_simulated, FALSE) = s.is_simulated) counted
"""


def counted(study: int) -> list[tuple[int, int, int]]:
    """(rating, item, member) of every rating that counts."""
    return [(rating, item, member) for rating, item, member in rows(COUNTED, study)]


def fates(study: int) -> dict[str, int]:
    """Why submitted ratings do not count: the first reason that fits."""
    found: dict[str, int] = {}
    there = {rating for rating, *_ in counted(study)}
    for row in rows(RATINGS, study):
        rating, *_, is_current, slot, excluded, screened_out, withdrawn, k, counts, policy, simulated, by, next_ = row
        reasons = {
            "replaced by a correction": not is_current and next_,
            "taken back by the rater": not is_current,
            FATES_BY["excluded"]: excluded is not None,
            FATES_BY["screened"]: screened_out is not None and not counts,
            FATES_BY["withdrew"]: withdrawn is not None and policy == "remove",
            FATES_BY["kind"]: bool(simulated) != bool(by),
            FATES_BY["place"]: k is not None and slot is None,
        }
        if rating not in there:
            why = next(reason for reason, fits in reasons.items() if fits)
            found[why] = found.get(why, 0) + 1
    return found


FATES_BY = {
    "excluded": "by excluded raters",
    "screened": "by raters who were screened out",
    "withdrew": "by raters who withdrew",
    "kind": "by people in a simulated study, or by the simulator in a study of people",
    "place": "whose place had gone to another rater",
}
assert {*FATES_BY.values(), "replaced by a correction", "taken back by the rater"} == set(FATES.values())


def items(study: int) -> list[int]:
    return [pk for (pk,) in rows("SELECT id FROM annotation_item WHERE study_id = %s AND purpose = 'rated'", study)]


def backgrounds(study: int) -> int:
    sql = "SELECT COUNT(DISTINCT background_id) FROM annotation_item WHERE study_id = %s AND purpose = 'rated'"
    return int(one(sql, study))


def per_item(study: int) -> list[int]:
    got = [item for _, item, _ in counted(study)]
    return [got.count(item) for item in items(study)]


def symbols(study: int) -> list[str]:
    sql = """SELECT v.symbol FROM annotation_study_versions sv JOIN dialogues_version v ON v.slug = sv.version_id
              WHERE sv.study_id = %s ORDER BY v.position, v.slug"""
    return [symbol for (symbol,) in rows(sql, study)]


def unblinded(study: int) -> datetime | None:
    found = events(study, "study.unblinded")
    return found[0][0] if found and is_blindable(study) else None


def unfinished_work(study: int, member: int) -> bool:
    """Whether the member has an open item, or could take an open slot."""
    mine = one("SELECT COUNT(*) FROM annotation_assignment WHERE membership_id = %s AND state = 'open'", member)
    free = one(
        """SELECT COUNT(*) FROM annotation_assignment f WHERE f.study_id = %s AND f.state = 'open'
            AND f.slot IS NOT NULL
            AND f.item_id NOT IN (SELECT item_id FROM annotation_assignment WHERE membership_id = %s)""",
        study,
        member,
    )
    most = stored(of_study("chat_plan", study)).get("chats_each") if of_study("kind", study) == "chats" else None
    turn = one("SELECT turn FROM annotation_membership WHERE id = %s", member)
    return bool(mine) or (bool(free) and (most is None or turn < most))


def ends(study: int) -> dict[str, list[tuple[int, datetime | None]]]:
    """The members by where they ended, each with when they were excluded."""
    found: dict[str, list[tuple[int, datetime | None]]] = {}
    columns = "id, excluded_at, failed_training, screened_out_at, withdrawn_at"
    sql = f"SELECT {columns} FROM annotation_membership WHERE study_id = %s"
    for member, excluded, failed_training, screened_out, withdrawn in rows(sql, study):
        has_rated = one(
            "SELECT COUNT(*) FROM annotation_assignment WHERE membership_id = %s AND state = 'submitted'", member
        )
        is_done = has_rated and not unfinished_work(study, member)
        end = (
            "excluded" if excluded else "failed training" if failed_training else "screened" if screened_out
            else "withdrew" if withdrawn else "finished" if is_done else "unfinished"
        )  # fmt: skip
        found.setdefault(end, []).append((member, as_time(excluded) if excluded else None))
    return found


def claims(pattern: str) -> Callable[[Claim], Claim]:
    def add(claim: Claim) -> Claim:
        CLAIMS.append((re.compile(pattern), claim))
        return claim

    return add


def check_methods(study: Study) -> None:
    """Every sentence of the study's methods text holds, and none is of an unknown kind."""
    for paragraph in paragraphs(study):
        for sentence in paragraph:
            fitting = [(found, claim) for pattern, claim in CLAIMS if (found := pattern.fullmatch(sentence))]
            assert len(fitting) == 1, (len(fitting), sentence)
            found, claim = fitting[0]
            claim(study.pk, *found.groups())


# --- items and questions -----------------------------------------------------------------------------


@claims(r"([\d,]+) dialogues? (was|were) to be scored: (.+) of ([\d,]+) backgrounds?\.")
def of_dialogues(study: int, count: str, verb: str, named: str, of: str) -> None:
    assert of_study("kind", study) == "scores"
    assert number(count) == len(items(study))
    assert (verb == "was") == (number(count) == 1)
    assert named.split(", ") == symbols(study)
    assert number(of) == backgrounds(study)


@claims(r"([\d,]+) pairs? of dialogues from ([\d,]+) backgrounds? (?:was|were) to be compared \((.+)\)\.")
def of_pairs(study: int, count: str, of: str, named: str) -> None:
    assert of_study("kind", study) == "pairs"
    assert (number(count), number(of)) == (len(items(study)), backgrounds(study))
    sql = """SELECT DISTINCT one.symbol, other.symbol FROM annotation_item i
               JOIN dialogues_dialogue d ON d.id = i.dialogue_id JOIN dialogues_version one ON one.slug = d.version_id
               JOIN dialogues_dialogue o ON o.id = i.other_id JOIN dialogues_version other ON other.slug = o.version_id
              WHERE i.study_id = %s AND i.purpose = 'rated'"""
    assert {tuple(pair.split(" with ")) for pair in named.split("; ")} == set(rows(sql, study))


@claims(r"Testers were to chat with (.+) about ([\d,]+) backgrounds?, and to score each chat\.")
def of_chats(study: int, named: str, of: str) -> None:
    assert of_study("kind", study) == "chats"
    sql = """SELECT v.name FROM annotation_chatsystem c JOIN dialogues_version v ON v.slug = c.version_id
              WHERE c.study_id = %s ORDER BY c.position, c.id"""
    assert named.split(", ") == [name for (name,) in rows(sql, study)]
    assert number(of) == backgrounds(study)


@claims(r"The ratings were collected elsewhere, not on this platform, and imported on (.+)\.")
def of_elsewhere(study: int, when: str) -> None:
    assert of_study("is_imported", study)
    assert when == day(events(study, "ratings.imported")[0][0])


@claims(r"They are of ([\d,]+) dialogues? on ([\d,]+) backgrounds?\.")
def of_imported(study: int, count: str, of: str) -> None:
    assert (number(count), number(of)) == (len(items(study)), backgrounds(study))


ORIGINALS = "FROM dialogues_dialogue o WHERE o.corpus_id = %s AND o.origin_id IS NULL"


@claims(
    r"The backgrounds came from the corpus “(.+)”, where at the launch ([\d,]+) had (every version|a theme or "
    r"characters) and ([\d,]+) had (some of them only|neither) and were left out\."
)
def of_selection(study: int, name: str, complete: str, has: str, incomplete: str, _: str) -> None:
    corpus = of_study("corpus_id", study)
    assert name == one("SELECT name FROM dialogues_corpus WHERE id = %s", corpus)
    chats = of_study("kind", study) == "chats"
    assert (has == "a theme or characters") == chats
    if chats:
        told = one(f"SELECT COUNT(*) {ORIGINALS} AND (o.theme <> '' OR o.traits_1 <> '[]')", corpus)
        assert number(complete) == told
        return
    lacking = f"""SELECT COUNT(*) {ORIGINALS} AND EXISTS (
        SELECT 1 FROM annotation_study_versions sv WHERE sv.study_id = %s AND NOT EXISTS (
            SELECT 1 FROM dialogues_dialogue d WHERE d.version_id = sv.version_id
                AND (d.origin_id = o.id OR d.id = o.id)))"""
    assert number(incomplete) == one(lacking, corpus, study)
    assert number(complete) + number(incomplete) == one(f"SELECT COUNT(*) {ORIGINALS}", corpus)


@claims(r"Backgrounds kept for training and checks: ([\d,]+)\.")
def of_set_aside(study: int, count: str) -> None:
    sql = "SELECT COUNT(DISTINCT background_id) FROM annotation_item WHERE study_id = %s AND purpose <> 'rated'"
    assert number(count) == one(sql, study)


@claims(r"The rated backgrounds are a random sample with seed (\d+)\.")
def of_sample(study: int, seed: str) -> None:
    assert int(seed) == of_study("seed", study)
    assert backgrounds(study) < one(f"SELECT COUNT(*) {ORIGINALS}", of_study("corpus_id", study))


@claims(r"([\d,]+) backgrounds? of them (?:was|were) added on (.+), drawn by the same seed\.")
def of_added(study: int, count: str, when: str) -> None:
    assert (number(count), when) in [(detail["backgrounds"], day(at)) for at, detail in events(study, "items.added")]


@claims(r"(Spacing and capitals were normalised on display|Texts were shown as stored)\.")
def of_display(study: int, said: str) -> None:
    assert bool(of_study("tidy_display", study)) == said.startswith("Spacing")


@claims(r"By demo rules, not a language model: (?:texts|replies) of ([\d,]+) items?\.")
def of_demo(study: int, count: str) -> None:
    sql = """SELECT COUNT(*) FROM annotation_item i JOIN dialogues_dialogue d ON d.id = i.dialogue_id
               LEFT JOIN dialogues_dialogue o ON o.id = i.other_id
              WHERE i.study_id = %s AND i.purpose = 'rated' AND (d.is_demo OR o.is_demo)"""
    assert number(count) == one(sql, study)


@claims(rf"{re.escape(SIMULATED)}|The file marks them as simulated; no people took part\.")
def of_simulation(study: int) -> None:
    assert of_study("is_simulated", study)


@claims(r"The questions are those of “(.+)”: (.+)\.")
def of_questions(study: int, name: str, named: str) -> None:
    sql = (
        "SELECT r.name, r.metrics FROM dialogues_rubric r JOIN annotation_study s ON s.rubric_id = r.id WHERE s.id = %s"
    )
    ((rubric, metrics),) = rows(sql, study)
    assert (name, named.split(", ")) == (rubric, [metric["name"] for metric in stored(metrics)])


@claims(r"Each is answered with left, same or right\.|Each is scored from (-?\d+) to (-?\d+)\.")
def of_scale(study: int, low: str | None, high: str | None) -> None:
    assert (low is None) == (of_study("kind", study) == "pairs")
    if low is not None and high is not None:
        sql = """SELECT MIN(c.value), MAX(c.value) FROM annotation_score c
                   JOIN annotation_rating r ON r.id = c.rating_id
                   JOIN annotation_assignment a ON a.id = r.assignment_id WHERE a.study_id = %s"""
        ((least, most),) = rows(sql, study)
        assert least is None or int(low) <= least <= most <= int(high)


# --- chats -------------------------------------------------------------------------------------------


@claims(
    r"(.+) was the model (.+), (?:asked|told) .+, at temperature ([\d.]+) with replies of at most ([\d,]+) tokens?\."
)
def of_a_system(study: int, name: str, model: str, temperature: str, longest: str) -> None:
    sql = """SELECT v.name, e.model, c.temperature, c.longest_reply FROM annotation_chatsystem c
               JOIN dialogues_version v ON v.slug = c.version_id JOIN generation_endpoint e ON e.id = c.endpoint_id
              WHERE c.study_id = %s"""
    assert (name, model, float(temperature), number(longest)) in rows(sql, study)


@claims(r"The endpoint of (.+) announced that it shuts (.+) down on (.+)\.")
def of_a_shutdown(study: int, name: str, model: str, shutdown: str) -> None:
    sql = """SELECT v.name, e.model, e.base_url, s.address, s.day FROM annotation_chatsystem c
               JOIN dialogues_version v ON v.slug = c.version_id JOIN generation_endpoint e ON e.id = c.endpoint_id
               JOIN generation_shutdown s ON s.model = e.model WHERE c.study_id = %s"""
    told = [
        date.fromisoformat(str(on))
        for version, of, asked, address, on in rows(sql, study)
        if (version, of) == (name, model) and asked.rstrip("/").removesuffix("/chat/completions") == address
    ]
    assert [f"{on.day} {on:%B %Y}" for on in told] == [shutdown]


@claims(
    r"Testers played one of .+|Both sides could .+|A system answered after .+|A message between two bubbles .+|"
    r"Testers could end and score .+|(?:No tester has more than ([\d,]+) chats?(?: beside practice)?\.)|"
    r"(A tester's first chat is for practice .+)|(After their last chat testers are asked .+)"
)
def of_the_chat_plan(study: int, each: str | None, practice: str | None, asks: str | None) -> None:
    plan = stored(of_study("chat_plan", study))
    assert each is None or number(each) == plan["chats_each"]
    assert practice is None or plan["practice"]
    assert asks is None or plan["asks_preference"]


@claims(r"([\d,]+) chats? of these items (?:is|are) on record; ([\d,]+) ended\.")
def of_chats_held(study: int, count: str, ended: str) -> None:
    sql = """SELECT COUNT(*), COUNT(CASE WHEN c.state = 'ended' THEN 1 END) FROM annotation_chat c
               JOIN annotation_assignment a ON a.id = c.assignment_id JOIN annotation_item i ON i.id = a.item_id
              WHERE a.study_id = %s AND i.purpose = 'rated'"""
    assert rows(sql, study) == [(number(count), number(ended))]


# --- order and people --------------------------------------------------------------------------------


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


# --- ratings -----------------------------------------------------------------------------------------


@claims(
    r"Every rater is given every item\.|"
    r"For each item, ([\d,]+) ratings? (?:was|were) requested, each from a different rater\.|"
    r"For each system and background, ([\d,]+) chats? (?:was|were) requested, each with a different tester\."
)
def of_asked(study: int, ratings: str | None, chats: str | None) -> None:
    each = of_study("raters_per_item", study)
    assert each == (number(ratings or chats or "0") or None)
    if each is not None:
        sql = """SELECT a.item_id, COUNT(*), COUNT(DISTINCT a.membership_id) FROM annotation_assignment a
                  WHERE a.study_id = %s AND a.slot IS NOT NULL GROUP BY a.item_id"""
        assert {slots for _, slots, _ in rows(sql, study)} == {each}


@claims(r"That number was raised from ([\d,]+) to ([\d,]+) on (.+)\.")
def of_raised(study: int, before: str, after: str, when: str) -> None:
    known = [(detail["before"], detail["after"], day(at)) for at, detail in events(study, "study.extended")]
    assert (number(before), number(after), when) in known


@claims(re.escape(NO_RATING))
def of_no_rating(study: int) -> None:
    assert not counted(study)


WANTED = r"(?:; ([\d,]+) of ([\d,]+) (?:has|have) the number asked for)?\."


@claims(rf"Every item has ([\d,]+) ratings? that counts?{WANTED}")
def of_even(study: int, each: str, complete: str | None, of: str | None) -> None:
    assert set(per_item(study)) == {number(each)}
    check_complete(study, complete, of)


@claims(rf"Items have ([\d,]+) to ([\d,]+) ratings that count \(median ([\d.]+)\){WANTED}")
def of_uneven(study: int, least: str, most: str, middle: str, complete: str | None, of: str | None) -> None:
    got = per_item(study)
    assert (number(least), number(most), float(middle)) == (min(got), max(got), median(got))
    check_complete(study, complete, of)


def check_complete(study: int, complete: str | None, of: str | None) -> None:
    wanted, got = of_study("raters_per_item", study), per_item(study)
    full = sum(one >= wanted for one in got) if wanted is not None else len(got)
    assert (number(complete), number(of)) == (full, len(got)) if complete and of else full == len(got)


@claims(r"([\d,]+) of ([\d,]+) submitted ratings? counts?\.(?: Not counted: (.+)\.)?")
def of_totals(study: int, count: str, submitted: str, left: str | None) -> None:
    assert number(count) == len(counted(study))
    assert number(submitted) == len(rows(RATINGS, study))
    said = dict(part.split(" ", 1)[::-1] for part in left.split("; ")) if left else {}
    assert {why: number(n) for why, n in said.items()} == fates(study)


@claims(r"([\d,]+) ratings? by raters who withdrew, including ratings of checks, (?:was|were) deleted\.")
def of_removed(study: int, count: str) -> None:
    assert number(count) == sum(detail["removed"] for _, detail in events(study, "rater.withdrawn"))
    assert of_study("withdrawal", study) == "remove"


@claims(
    r"Researchers settled ([\d,]+) disputed scores? of ([\d,]+) items?; results count the scores as raters gave them\."
)
def of_adjudication(study: int, scores: str, of: str) -> None:
    sql = """SELECT DISTINCT j.item_id, j.metric FROM annotation_adjudication j
               JOIN annotation_item i ON i.id = j.item_id
              WHERE i.study_id = %s"""
    settled = rows(sql, study)
    assert (number(scores), number(of)) == (len(settled), len({item for item, _ in settled}))


# --- record ------------------------------------------------------------------------------------------


@claims(r"There (was|were) also (.+); none of this is counted in any result\.")
def of_checks(study: int, verb: str, named: str) -> None:
    found = dict(
        rows(
            "SELECT purpose, COUNT(*) FROM annotation_item WHERE study_id = %s AND purpose <> 'rated' GROUP BY purpose",
            study,
        )
    )
    words = {"training": "training item", "gold": "gold item", "attention": "attention check"}
    for purpose, word in words.items():
        said = re.search(rf"([\d,]+) {word}", named)
        assert (number(said[1]) if said else 0) == found.get(purpose, 0)
    assert (verb == "was") == (sum(found.values()) == 1)


@claims(
    r"A rater who fails more than ([\d,]+) attention checks? is screened out, "
    r"and their ratings (still count|are in no result)\."
)
def of_screening(study: int, most: str, count: str) -> None:
    assert number(most) == of_study("most_lapses", study)
    assert bool(of_study("counts_screened_out", study)) == (count == "still count")


@claims(
    r"A rater who scores fewer than ([\d,]+) of ([\d,]+) training items? as expected at the first try is screened out "
    r"before the first rated item\."
)
def of_pass_mark(study: int, least: str, items: str) -> None:
    assert number(least) == of_study("least_passed", study)
    sql = "SELECT COUNT(*) FROM annotation_item WHERE study_id = %s AND purpose = 'training'"
    assert number(items) == one(sql, study)


@claims(r"(Recruitment|Pay|Retention|Ethics approval): (.+)")
def of_texts(study: int, label: str, text: str) -> None:
    columns = {
        "Recruitment": "recruitment",
        "Pay": "pay_note",
        "Retention": "retention",
        "Ethics approval": "approval_number",
    }
    assert text.rstrip(".") == of_study(columns[label], study).rstrip(".")


@claims(
    r"Raters are told that the work takes ([\d,]+) minutes?\.|"
    r"Raters are reminded to take a break every ([\d,]+) minutes?\."
)
def of_pace(study: int, told: str | None, every: str | None) -> None:
    assert told is None or number(told) == of_study("minutes_estimate", study)
    assert every is None or number(every) == of_study("break_every", study)


@claims(
    r"No consent text was shown\.|"
    r"Before their first item raters must agree to the consent text with SHA-256 ([0-9a-f]{64}); ([\d,]+) did\."
)
def of_consent(study: int, sha256: str | None, count: str | None) -> None:
    text = of_study("consent_text", study)
    assert bool(text) == bool(sha256)
    if sha256 and count:
        assert sha256 == hashlib.sha256(text.encode()).hexdigest()
        sql = "SELECT COUNT(*) FROM annotation_membership WHERE study_id = %s AND consent_sha256 = %s"
        assert number(count) == one(sql, study, sha256)


@claims(r"When somebody withdraws, their identity is removed and their scores are (kept|removed)\.")
def of_withdrawal(study: int, scores: str) -> None:
    assert of_study("withdrawal", study) == {"kept": "keep", "removed": "remove"}[scores]


@claims(r"The design \(version (\d+)\) was frozen at the launch on (.+)\.")
def of_launch(study: int, version: str, when: str) -> None:
    assert int(version) == of_study("version", study)
    assert when == day(events(study, "study.launched")[0][0])


@claims(r"So was the plan of its analysis \(SHA-256 ([0-9a-f]{64})\)\.")
def of_plan(study: int, sha256: str) -> None:
    assert sha256 == events(study, "study.launched")[0][1]["plan_sha256"]


@claims(r"Rating was paused (once|([\d,]+) times)\.")
def of_pauses(study: int, _: str, count: str | None) -> None:
    assert number(count or "1") == len(events(study, "study.paused"))


@claims(r"Rating ended on (.+)\.")
def of_close(study: int, when: str) -> None:
    assert of_study("state", study) == "closed"
    assert when == day(events(study, "study.closed")[0][0])


@claims(r"The study is still (open|paused), so numbers of raters and ratings may change\.")
def of_state(study: int, state: str) -> None:
    moved = events(study, "study.launched", "study.paused", "study.resumed", "study.closed")
    assert of_study("state", study) == state
    assert not events(study, "study.closed")
    assert moved


@claims(r"Nobody has unblinded the study\.|The study was unblinded on (.+)\.")
def of_unblinding(study: int, when: str | None) -> None:
    seen = unblinded(study)
    assert when == (day(seen) if seen else None)


@claims(r"Not blind to the material: ([\d,]+) raters? who (.+)\.")
def of_acquaintance(study: int, count: str, how: str) -> None:
    known = {detail["member"] for _, detail in events(study, "acquaintance.accepted") if detail["how"] == how}
    assert number(count) == len(known)


# --- analyses ----------------------------------------------------------------------------------------


def plan_of(study: int) -> dict[str, Any]:
    found: dict[str, Any] = stored(of_study("analysis_plan", study))
    return found


def speaks_of_these(study: int) -> bool:
    return plan_of(study).get("population") == "these" and of_study("kind", study) != "pairs"


def models(of: dict[str, str]) -> str:
    return "|".join(f"(Primary analysis: {re.escape(text[0].lower() + text[1:])})" for text in of.values())


@claims(models(MODELS_OF_THESE))
def of_these(study: int, *said: str | None) -> None:
    assert [*MODELS_OF_THESE][[bool(one) for one in said].index(True)] == of_study("kind", study)
    assert speaks_of_these(study)


@claims(models(MODELS))
def of_model(study: int, *said: str | None) -> None:
    assert [*MODELS][[bool(one) for one in said].index(True)] == of_study("kind", study)
    assert not speaks_of_these(study)


@claims(f"({re.escape(INTERVALS['like'])})|({re.escape(INTERVALS['these'])})")
def of_population(study: int, _: str | None, these: str | None) -> None:
    assert bool(these) == speaks_of_these(study)
    assert of_study("kind", study) != "pairs"


@claims(re.escape(INTERVALS_OF_PAIRS))
def of_comparisons(study: int) -> None:
    assert of_study("kind", study) == "pairs"


@claims(r"p values are adjusted together by Holm's \(1979\) method over "
        r"(all pairs of versions × the metrics asked of both|the primary pairs × the primary metrics)\.")  # fmt: skip
def of_correction(study: int, family: str) -> None:
    assert (plan_of(study).get("family") or "all") == ("all" if family.startswith("all") else "primary")


@claims(
    "|".join(
        f"({re.escape(text)})" for text in (analyses.AGREEMENT, analyses.AGREEMENT_OF_PAIRS, analyses.NO_AGREEMENT)
    )
)
def of_agreement(study: int, scores: str | None, pairs: str | None, none: str | None) -> None:
    assert bool(pairs) == (of_study("kind", study) == "pairs")
    assert bool(none) == (of_study("kind", study) == "chats" and of_study("raters_per_item", study) == 1)
    if none:
        assert max(per_item(study)) <= 1


@claims(f"({re.escape(analyses.CONFIRMATORY)})|({re.escape(analyses.EXPLORATORY)})")
def of_confirmation(study: int, planned: str | None, _: str | None) -> None:
    assert bool(planned) == bool(of_study("plan_sha256", study))
