"""Files of ratings: how each form is told and read, and what is refused with its row."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.imported.gathering import Gathered, RatingsRefusedError
from annotation.imported.imported_study import read_ratings
from annotation.imported.rating_files import rating_columns_from
from annotation.imported.rating_rows import RatingError, labels_from, score_of, seconds_of
from dialogues.formats.records import BadRecord
from tests.annotation.imported_files import csv_file, json_file, source

OF_A_TASK = {"id": 7, "data": {"text": "Hello."}}


def found(path: Path, **options: Any) -> Gathered:
    return read_ratings(source(path, **options))


def scores(gathered: Gathered) -> list[tuple[str, int, str, int]]:
    """(item, rater from 0, metric, value) of every score."""
    rows = zip(gathered.item, gathered.rater, gathered.metric, gathered.value, strict=True)
    return [
        (gathered.items[item].item, int(rater), gathered.metrics[metric], int(value))
        for item, rater, metric, value in rows
    ]


def bad(gathered: Gathered) -> list[tuple[int, str]]:
    return [(one.row, one.reason) for one in gathered.report.bad]


def task(*results: dict[str, Any], **annotation: Any) -> dict[str, Any]:
    return {**OF_A_TASK, "annotations": [{"completed_by": 1, "lead_time": 12.5, **annotation, "result": list(results)}]}


def result(kind: str, value: object, name: str = "quality") -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: value}}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_long_rows_are_read_with_any_delimiter(delimiter: str, tmp_path: Path) -> None:
    path = csv_file(tmp_path, [("r", "a", "Fun", 3), ("s", "a", "Fun", 4)], delimiter=delimiter)
    assert scores(found(path)) == [("a", 0, "Fun", 3), ("a", 1, "Fun", 4)]


def test_other_names_of_columns_are_refused_with_a_guess_and_read_when_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [("r", "a", "Fun", 3)], ("Worker", "HIT", "Question", "Answer"))
    with pytest.raises(RatingsRefusedError, match="--columns rater=worker,item=hit,metric=question,value=answer"):
        found(path)
    columns = rating_columns_from("rater=Worker, item=HIT,metric=Question,value=Answer")
    assert scores(found(path, columns=columns)) == [("a", 0, "Fun", 3)]


@pytest.mark.parametrize("text", ["rater", "rater=", "coffee=a", "rater=a,rater=b"])
def test_columns_that_name_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write rater="):
        rating_columns_from(text)


@pytest.mark.parametrize("value", ["", " ", "NaN", "nan", "NULL", "None", "N/A", "-", None, float("nan")])
def test_no_score_is_not_rated(value: object) -> None:
    assert score_of(value) is None


@pytest.mark.parametrize(
    ("value", "score"), [("3", 3), (" -2 ", -2), ("4.0", 4), ("4,0", 4), (5, 5), (4.0, 4), ("+1", 1)]
)
def test_whole_numbers_are_scores(value: object, score: int) -> None:
    assert score_of(value) == score


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("3.5", "is a decimal"), ("3,5", "is a decimal"), (2.25, "is a decimal"), ("good", "no whole number"),
        ("32001", "beyond ±32,000"), ("1e3", "no whole number"), (True, "no whole number"), ([3], "no whole number"),
        ("1_0", "no whole number"), ("9" * 400, "no whole number"),
    ],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(value: object, why: str) -> None:
    with pytest.raises(RatingError, match=why):
        score_of(value)


@pytest.mark.parametrize(
    ("value", "seconds"), [("1,5", 1.5), (3, 3.0), ("", None), ("soon", None), (-1, None), ("inf", None)]
)
def test_seconds_are_taken_where_they_are_a_duration(value: object, seconds: float | None) -> None:
    assert seconds_of(value) == seconds


def test_every_bad_row_is_named_and_gaps_are_counted(tmp_path: Path) -> None:
    rows = [
        ("r", "a", "Fun", "3.5"), ("", "a", "Fun", "3"), ("r", "", "Fun", "3"), ("r", "a", "", "3"),
        ("r", "a", "Fun", ""), ("r", "a", "Fun", "3", "more"), ("r", "a", "Fun", "3"),
    ]  # fmt: skip
    gathered = found(csv_file(tmp_path, rows))
    assert [row for row, _ in bad(gathered)] == [2, 3, 4, 5, 7]
    assert (gathered.report.scores, dict(gathered.report.tally)) == (1, {"not_rated": 1})


def test_an_item_has_one_text_one_background_and_one_dialogue(tmp_path: Path) -> None:
    header = ("rater", "item", "metric", "value", "background", "dialogue", "text")
    rows = [
        ("r", "a", "Fun", 1, "b1", "d1", "Hello"), ("s", "a", "Fun", 1, "", "", ""), ("t", "a", "Fun", 1, "b2", "", ""),
        ("u", "a", "Fun", 1, "b1", "d2", ""), ("v", "a", "Fun", 1, "b1", "", "Bye"),
        ("r", "c", "Fun", 1, "b1", "d1", ""),
    ]  # fmt: skip
    gathered = found(csv_file(tmp_path, rows, header))
    assert [reason for _, reason in bad(gathered)] == [
        "the item has another background in row 2",
        "the item has another dialogue in row 2",
        "the item has another text in row 2",
        "its dialogue is that of another item in row 2",
    ]
    assert gathered.items[0].messages == ((1, "Hello"),)


def test_comparisons_of_two_dialogues_are_no_scores(tmp_path: Path) -> None:
    header = ("rater", "item", "metric", "value", "other_dialogue")
    ((row, reason),) = bad(found(csv_file(tmp_path, [("r", "a", "Fun", -1, "b")], header)))
    assert (row, reason) == (2, "it compares two dialogues, and only scores of one can be imported")


def test_a_scale_is_the_files_or_what_was_given(tmp_path: Path) -> None:
    header = ("rater", "item", "metric", "value", "scale_low", "scale_high")
    rows = [
        ("r", "a", "Fun", 3, 1, 5), ("r", "a", "Sense", 0, "", ""), ("r", "b", "Sense", 1, "", ""),
        ("r", "a", "Same", 2, "", ""), ("s", "a", "Fun", 6, 1, 5), ("t", "a", "Fun", 1, 1, ""),
        ("u", "a", "Fun", 1, 2, 2),
    ]  # fmt: skip
    gathered = found(csv_file(tmp_path, rows, header))
    scales = dict(zip(gathered.metrics, zip(gathered.low.tolist(), gathered.high.tolist(), strict=True), strict=True))
    assert scales == {"Fun": (1, 5), "Sense": (0, 1), "Same": (2, 3)}
    assert [row for row, _ in bad(gathered)] == [6, 7, 8]


def test_rows_of_json_are_read_like_those_of_csv(tmp_path: Path) -> None:
    rows = [{"rater": 1, "item": 2, "metric": "Fun", "value": 3}, {"rater": 1, "item": 3, "metric": "Fun"}]
    gathered = found(json_file(tmp_path, rows))
    assert scores(gathered) == [("2", 0, "Fun", 3)]
    assert bad(gathered) == [(2, "the keys value are missing; it has rater, item, metric")]


def test_label_studios_results_are_scores(tmp_path: Path) -> None:
    one = task(result("rating", 4), result("number", 2, "errors"), result("choices", ["3"], "ease"))
    gathered = found(json_file(tmp_path, [one]))
    assert gathered.report.form == "Label Studio JSON"
    assert scores(gathered) == [("7", 0, "quality", 4), ("7", 0, "errors", 2), ("7", 0, "ease", 3)]
    assert gathered.seconds == {(0, 0): 12.5}
    assert gathered.items[0].messages == ((1, "Hello."),)


def test_label_studios_labels_become_numbers_in_the_order_that_is_named(tmp_path: Path) -> None:
    path = json_file(tmp_path, [task(result("choices", ["Good"]), result("choices", ["yes"], "fluent"))])
    gathered = found(path, labels=labels_from("bad, fair, good"))
    assert scores(gathered) == [("7", 0, "quality", 3)]
    assert dict(gathered.report.tally) == {"choices_of_fluent_without_an_order_set_aside": 1}


def test_what_label_studio_holds_besides_scores_is_counted(tmp_path: Path) -> None:
    one = task(result("rating", 4), result("textarea", ["odd"]), result("labels", ["x"]))
    one["predictions"] = [{"result": []}]
    cancelled = {"completed_by": 2, "was_cancelled": True, "result": [result("rating", 1)]}
    one["annotations"].append(cancelled)
    assert dict(found(json_file(tmp_path, [one])).report.tally) == {
        "predictions_set_aside": 1,
        "results_of_type_textarea_set_aside": 1,
        "results_of_type_labels_set_aside": 1,
        "cancelled_annotations_set_aside": 1,
    }


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (task(result("rating", 3.5)), "is a decimal"),
        (task(result("choices", ["1", "2"])), "2 labels are chosen at once"),
        (task(result("rating", 3), completed_by=None), "the rater is missing"),
        (task(result("rating", 3, "")), "the metric is missing"),
        ({"id": 1, "data": {}, "annotations": [3]}, "an annotation is not an object"),
        ({"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": 3}]}, "result is not a list"),
        ({"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": [3]}]}, "a result is not an object"),
        ({"id": 1, "data": {}}, "annotations is not a list"),
        ({"id": 1}, "the task has no data"),
    ],
)  # fmt: skip
def test_a_broken_task_of_label_studio_is_named(broken: dict[str, Any], why: str, tmp_path: Path) -> None:
    gathered = found(json_file(tmp_path, [task(result("rating", 4)), broken]))
    ((row, reason),) = bad(gathered)
    assert row == 2
    assert why in reason


def test_a_person_of_label_studio_may_be_an_object(tmp_path: Path) -> None:
    path = json_file(tmp_path, [task(result("rating", 4), completed_by={"id": 3, "email": "mary@example.org"})])
    assert found(path).raters == 1


def test_label_studios_paragraphs_become_messages(tmp_path: Path) -> None:
    spoken = [{"author": "Ann", "text": "Hi"}, {"author": "Ben", "text": "Hello"}, {"author": "Ann", "text": "Well"}]
    one = task(result("rating", 4)) | {"data": {"dialogue": spoken, "model": "Bot 1"}}
    (item,) = found(json_file(tmp_path, [one])).items
    assert (item.messages, item.version) == (((1, "Hi"), (2, "Hello"), (1, "Well")), "Bot 1")


def test_lists_of_scores_of_responses_are_read(tmp_path: Path) -> None:
    first = {"response": "Yes.", "model": "Human", "Natural": [3, 2, None], "tags": ["x"], "notes": []}
    second = {"response": "No.", "model": "Bot", "Natural": [1, 1, 1]}
    gathered = found(json_file(tmp_path, [{"context": "Hi\nWell?", "responses": [first, second]}]))
    assert gathered.raters == 3
    assert gathered.versions() == ["Human", "Bot"]
    assert {item.background for item in gathered.items} == {"1"}
    assert gathered.items[0].messages == ((1, "Hi"), (2, "Well?"), (1, "Yes."))
    assert dict(gathered.report.tally) == {"not_rated": 1, "raters_told_apart_by_place_in_lists": 3}


def test_annotated_answers_are_read(tmp_path: Path) -> None:
    rated = {
        "context": "User: Hi\nSystem: Hello: there", "response": "System: Bye", "system": "Meena",
        "annotations": {"Interesting": [2, 1, "nan"], "Overall": [4, 3, 4], "Comment": ["x", "y"]},
    }  # fmt: skip
    gathered = found(json_file(tmp_path, [rated]))
    assert gathered.metrics == ["Interesting", "Overall"]
    assert (gathered.report.scores, gathered.report.tally["not_rated"]) == (5, 1)
    assert gathered.items[0].messages[:2] == ((1, "Hi"), (2, "Hello: there"))


@pytest.mark.parametrize(
    "broken",
    [
        {"responses": 3},
        {"responses": [3]},
        {"responses": [{"model": ["x"], "Fun": [1]}]},
        {"responses": [{"Fun": [1.5]}]},
    ],
)
def test_broken_responses_are_named(broken: dict[str, Any], tmp_path: Path) -> None:
    whole = {"context": "Hi", "responses": [{"response": "Yes.", "Fun": [1]}]}
    assert [row for row, _ in bad(found(json_file(tmp_path, [whole, broken])))] == [2]


def test_an_unknown_file_of_json_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(RatingsRefusedError, match="their keys are question, answer"):
        found(json_file(tmp_path, [{"question": "?", "answer": 3}]))


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfer\x00", b"PK\x03\x04zip", b"\x00" * 40, b"rater,item"])
def test_what_is_no_file_of_ratings_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(content)
    with pytest.raises(RatingsRefusedError):
        found(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = json_file(tmp_path, [task(result("rating", 4)), task(result("rating", 2))])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RatingsRefusedError, match="ends in the middle"):
        found(path)


def test_text_that_no_database_stores_is_named(tmp_path: Path) -> None:
    rows = [{"rater": "r", "item": "a", "metric": "Fun", "value": 3, "text": "\x00"}]
    ((row, reason),) = bad(found(json_file(tmp_path, rows)))
    assert (row, reason) == (1, "text: text contains a NUL character")


def test_too_many_metrics_are_refused_by_the_limit(tmp_path: Path) -> None:
    rows = [("r", "a", f"metric {number}", 1) for number in range(101)]
    with pytest.raises(RatingsRefusedError, match="more than 100 metrics"):
        found(csv_file(tmp_path, rows))


# Without the apostrophe, which CSV may have set before a formula.
names = st.text('abcé=+"; ', min_size=1, max_size=6).filter(str.strip)


@given(st.dictionaries(st.tuples(names, names, names), st.integers(-32_000, 32_000), min_size=1, max_size=20))
def test_any_scores_written_as_csv_and_as_json_are_read_alike(tmp_path_factory: Any, written: dict[Any, int]) -> None:
    folder = tmp_path_factory.mktemp("ratings")
    kept = {(rater.strip(), item.strip(), metric.strip()): value for (rater, item, metric), value in written.items()}
    rows = [(*key, value) for key, value in kept.items()]
    header = ("rater", "item", "metric", "value")
    gathered = found(csv_file(folder, rows, header))
    objects = found(json_file(folder, [dict(zip(header, row, strict=True)) for row in rows]))
    assert scores(gathered) == scores(objects)
    assert sorted((item, metric, value) for item, _, metric, value in scores(gathered)) == sorted(
        (item, metric, value) for (_, item, metric), value in kept.items()
    )
    assert gathered.raters == len({rater for rater, _, _ in kept})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "data",
                        "annotations",
                        "result",
                        "value",
                        "rating",
                        "type",
                        "from_name",
                        "responses",
                        "context",
                        "response",
                        "completed_by",
                        "rater",
                        "item",
                        "metric",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=30,
    )
)
def test_no_json_raises_anything_but_a_refusal(tmp_path_factory: Any, value: Any) -> None:
    folder = tmp_path_factory.mktemp("ratings")
    for whole in (
        [value],
        [{"id": 1, "data": {}, "annotations": value}],
        [{"responses": value}],
        [{"responses": [{}], "context": value}, value],
    ):
        path = folder / "ratings.json"
        path.write_text(json.dumps(whole), encoding="utf-8", errors="surrogatepass")
        try:
            gathered = found(path)
        except RatingsRefusedError:
            continue
        assert all(isinstance(one, BadRecord) for one in gathered.report.bad)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    for head in (b"", b"rater,item,metric,value\n", b"[{"):
        path.write_bytes(head + content)
        try:
            gathered = found(path)
        except RatingsRefusedError:
            continue
        assert all(isinstance(one, BadRecord) for one in gathered.report.bad)


def test_an_endless_text_is_refused_by_its_limit(tmp_path: Path) -> None:
    rows = io.StringIO()
    csv.writer(rows).writerows([("rater", "item", "metric", "value", "text"), ("r", "a", "Fun", 1, "x" * 100_001)])
    path = tmp_path / "ratings.csv"
    path.write_text(rows.getvalue())
    ((row, reason),) = bad(found(path))
    assert row == 2
    assert "at most 100,000" in reason


@pytest.mark.parametrize(("value", "why"), [([], "its list is empty"), ({}, "its object has no keys")])
def test_a_file_without_any_rating_says_so(value: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(RatingsRefusedError, match=f"^The file holds no ratings: {why}. Choose another file"):
        found(json_file(tmp_path, value))
