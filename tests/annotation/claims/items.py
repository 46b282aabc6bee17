"""Claims on what was rated: items, questions and, in a study of chats, systems."""

import re
from datetime import date

from annotation.design.methods.items import SIMULATED
from tests.annotation.claims.registry import claims
from tests.annotation.claims.sql import backgrounds, day, events, items, number, of_study, one, rows, stored, symbols


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
