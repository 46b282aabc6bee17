"""Claims on the ratings and on the record of a study: checks, consent, launch, pauses, unblinding."""

import hashlib
import re
from statistics import median

from annotation.design.methods.people import NO_RATING
from tests.annotation.claims.registry import claims
from tests.annotation.claims.sql import (
    RATINGS,
    counted,
    day,
    events,
    fates,
    number,
    of_study,
    one,
    per_item,
    rows,
    unblinded,
)


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
