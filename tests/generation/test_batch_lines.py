"""The formats of the Batch API: a file written for a request is read back by its id, whatever else a provider adds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.endpoints.answers import CallError, Reply, Trouble
from generation.endpoints.batch_lines import BatchInfo, id_of, read_batch, read_line, read_page, request_line

COMPLETION = {
    "model": "m-1",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}


NO_NUMBER = f"call-7-{'9' * 5000}"  # longer than Python reads


def line(response: Any = None, error: Any = None, custom_id: Any = "call-7-2") -> bytes:
    return json.dumps({"id": "x", "custom_id": custom_id, "response": response, "error": error}).encode()


def result(response: Any = None, error: Any = None) -> Reply | CallError:
    found = read_line(line(response, error))
    assert found is not None
    assert (found.call, found.attempt) == (7, 2)
    return found.result


def test_an_answered_line_is_the_reply_it_would_have_been_by_itself() -> None:
    assert result({"status_code": 200, "body": COMPLETION}) == Reply("hi", "stop", "m-1", 5, 2, is_demo=False)


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (400, "invalid_request", Trouble.REJECTED),
        (401, "", Trouble.AUTH),
        (429, "rate_limit_exceeded", Trouble.RATE_LIMITED),
        (429, "insufficient_quota", Trouble.QUOTA),
        (500, "server_error", Trouble.PROVIDER),
    ],
)
def test_a_refused_line_has_the_name_it_would_have_had_by_itself(status: int, code: str, trouble: Trouble) -> None:
    found = result({"status_code": status, "body": {"error": {"message": "no", "code": code}}})
    assert isinstance(found, CallError)
    assert found.trouble is trouble


def test_a_line_is_read_in_every_shape_that_an_answer_by_itself_is_read_in() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}]
    for choice in ({"message": {"content": parts}}, {"text": "hi"}):
        found = result({"status_code": 200, "body": {**COMPLETION, "choices": [choice]}})
        assert isinstance(found, Reply)
        assert (found.text, found.body) == ("hi", "")
    declined = {"choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]}
    found = result({"status_code": 200, "body": declined})
    assert isinstance(found, Reply)
    assert (found.text, found.refusal, json.loads(found.body)) == ("", "No.", declined)


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (200, {"error": {"message": "busy", "code": 503}}, Trouble.PROVIDER),
        (200, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, Trouble.RATE_LIMITED),
        (400, {"error": {"message": "held back", "code": "content_filter"}}, Trouble.FILTERED),
        (403, {"error": {"message": "your input was flagged", "metadata": {"reasons": ["x"]}}}, Trouble.FILTERED),
        (403, {"error": {"message": "not for this project"}}, Trouble.AUTH),
    ],
)
def test_an_error_in_a_line_has_the_name_it_would_have_had_by_itself(status: int, body: Any, trouble: Trouble) -> None:
    found = result({"status_code": status, "body": body})
    assert isinstance(found, CallError)
    assert found.trouble is trouble
    assert body["error"]["message"] in found.message


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("batch_expired", Trouble.PROVIDER),
        ("batch_cancelled", Trouble.PROVIDER),
        ("odd", Trouble.REJECTED),
        (None, Trouble.REJECTED),
    ],
)
def test_a_line_that_was_never_run_may_be_sent_again(code: Any, trouble: Trouble) -> None:
    found = result(None, {"code": code, "message": "too late"})
    assert isinstance(found, CallError)
    assert found.trouble is trouble


def test_an_answer_that_is_no_completion_is_kept_as_it_came() -> None:
    found = result({"status_code": 200, "body": ["what"]})
    assert isinstance(found, Reply)
    assert (found.text, found.finish_reason) == ('["what"]', "malformed")


@pytest.mark.parametrize(
    "custom_id", ["", "call-7", "call-x-1", "call-7-1-1", "call-9999999999999999999-1", NO_NUMBER, 7, None]
)
def test_a_line_about_no_call_of_ours_is_passed_over(custom_id: Any) -> None:
    assert read_line(line({"status_code": 200, "body": COMPLETION}, custom_id=custom_id)) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_a_line(raw: bytes) -> None:
    assert read_line(raw) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(response=JSON, error=JSON)
def test_a_line_of_any_shape_has_a_result(response: Any, error: Any) -> None:
    assert isinstance(result(response, error), (Reply, CallError))


@given(
    st.fixed_dictionaries(
        {"id": JSON | st.just("batch_1")},
        optional=dict.fromkeys(
            ["status", "metadata", "request_counts", "created_at", "expires_at", "output_file_id", "errors"], JSON
        ),
    )
)
def test_a_batch_of_any_shape_is_read_or_none(row: dict[str, Any]) -> None:
    found = read_batch(json.dumps(row))
    assert found is None or isinstance(found, BatchInfo)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"data": 3}', "[" * 100_000])
def test_what_is_no_list_of_batches_is_known(body: str) -> None:
    assert read_page(body) is None
    assert id_of(body) == ""


def test_a_request_is_one_line_whatever_it_holds() -> None:
    messages: Any = [{"role": "user", "content": "two\nlines, \u2028 and “quotes”"}]
    raw = request_line(7, 2, messages, {"model": "m-1", "max_tokens": 5})
    assert raw.count(b"\n") == 1
    assert raw.endswith(b"\n")
    document = json.loads(raw)
    assert document["custom_id"] == "call-7-2"
    assert document["url"] == "/v1/chat/completions"
    assert document["body"] == {"model": "m-1", "max_tokens": 5, "messages": messages}
