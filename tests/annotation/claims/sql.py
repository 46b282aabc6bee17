"""What the database holds of a study, by SQL of its own: none of the product's queries is used."""

import json
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from annotation.design.methods.people import FATES


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


def plan_of(study: int) -> dict[str, Any]:
    found: dict[str, Any] = stored(of_study("analysis_plan", study))
    return found
