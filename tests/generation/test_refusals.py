"""Errors of every wording are classified, and keep the words of the provider."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.endpoints.answers import Reply, read_reply
from generation.endpoints.refusals import CallError, Refusal, Trouble, refused, status_in


@pytest.mark.parametrize(
    ("status", "error", "trouble"),
    [
        (403, {"message": "This request was flagged.", "code": "content_policy_violation"}, Trouble.FILTERED),
        (400, {"message": "Bad.", "innererror": {"code": "ResponsibleAIPolicyViolation"}}, Trouble.FILTERED),
        (400, {"message": "Invalid prompt: it may violate our usage policies."}, Trouble.FILTERED),
        (403, {"message": "Your account was flagged for abuse."}, Trouble.AUTH),
        (403, "Forbidden", Trouble.AUTH),
        (401, {"message": "The content filter needs a key."}, Trouble.AUTH),
        (400, {"message": "max_tokens is too large"}, Trouble.REJECTED),
        (429, {"message": "no money", "type": "insufficient_quota"}, Trouble.QUOTA),
        (500, {"message": "content filter is down"}, Trouble.PROVIDER),
        (400, None, Trouble.REJECTED),
    ],
)
def test_a_moderation_of_one_request_is_told_from_what_stops_all(status: int, error: Any, trouble: Trouble) -> None:
    assert refused(Refusal(status, error)).trouble is trouble


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 429}, 429),
        ({"code": "503"}, 503),
        ({"code": "rate_limit_exceeded"}, 429),
        ({"code": None, "type": "authentication_error"}, 401),
        ({"code": "insufficient_quota"}, 402),
        ({"type": "BadRequestError", "code": 400}, 400),
        ({"code": True}, 502),
        ({"code": 200}, 502),
        ({"code": "9" * 5000}, 502),
        ("loading", 502),
        (None, 502),
    ],
)
def test_an_error_inside_an_answer_stands_for_a_status(error: Any, status: int) -> None:
    assert status_in(error) == status


def test_the_words_of_whoever_stands_behind_the_provider_are_told_too() -> None:
    error = {"message": "Provider returned error", "metadata": {"raw": "the model is overloaded", "provider_name": "X"}}
    assert refused(Refusal(502, error)).message == "HTTP 502: Provider returned error the model is overloaded"


def test_an_error_of_no_meaning_beside_a_good_text_is_passed_over() -> None:
    good = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
    for error in (None, "", {}, {"code": 0, "message": "success"}):
        found = read_reply(json.dumps({**good, "error": error}))
        assert isinstance(found, Reply)
        assert found.text == "hi"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(max_size=5)
        | st.sampled_from(
            ["choices", "message", "content", "text", "type", "tool_calls", "function", "arguments", "refusal", "error",
             "code", "metadata", "reasons", "delta", "usage", "prompt_tokens", "finish_reason", "object"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=14,
)  # fmt: skip


@given(JSON)
def test_a_body_of_any_shape_is_a_reply_or_a_named_error_alone_and_in_a_stream(value: Any) -> None:
    for body in (json.dumps(value), json.dumps({"choices": [value]}), f"data: {json.dumps({'choices': [value]})}\n\n"):
        found = read_reply(body)
        assert isinstance(found, Reply | CallError)
        if isinstance(found, Reply):
            found.text.encode()
            found.body.encode()
            assert 0 <= found.prompt_tokens < 2**31
