"""Whatever a script sends, it gets an answer that says what is wrong, and nothing is changed."""

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation import example_sets
from generation.models import Run
from tests.generation.api import Script
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus

pytestmark = pytest.mark.django_db
PLAN = {"corpus": "Small", "writers": ["Demo"]}
FIELDS = (
    "name", "corpus", "writers", "theme_endpoint", "splitters", "stages", "selection", "sets", "prompts", "seed",
    "temperature", "max_tokens", "budget", "token_budget", "keep_share", "ambiguous_policy", "reuse_themes",
)  # fmt: skip
INSIDE = {
    "selection": ("sample", "search", "fewest_messages", "most_messages", "without", "without_writer"),
    "sets": ("single_step",),
    "prompts": ("pair",),
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -(10**30), 2**63, 2**31, 1e308, "nan", "inf", "-inf", "NaN", "", " ", "\x00", "a\x00b"]),
    st.sampled_from(["\ud800", "\u202e", "'; DROP TABLE", "%s", "{}", "1e400", "💬" * 200]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
often = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def script() -> Script:
    example_sets.load_all()
    draft(small_corpus(2), endpoint_at(NOWHERE))
    return Script()


@given(field=st.sampled_from(FIELDS), value=ODD)
@often
def test_a_plan_with_an_odd_value_is_a_run_or_a_refusal(script: Script, field: str, value: Any) -> None:
    before = Run.objects.count()
    answer = script.post("runs/", {**PLAN, field: value})
    assert answer.status_code in (201, 400), answer.content
    assert Run.objects.count() - before == (answer.status_code == 201)


@given(place=st.sampled_from([(outer, inner) for outer, names in INSIDE.items() for inner in names]), value=ODD)
@often
def test_the_same_holds_inside_a_plan(script: Script, place: tuple[str, str], value: Any) -> None:
    answer = script.post("runs/", {**PLAN, place[0]: {place[1]: value}})
    assert answer.status_code in (201, 400), answer.content


@given(
    what=st.sampled_from([("budget", "budget"), ("budget", "token_budget"), ("retry", "calls"), ("retry", "cause"),
                          ("retry", "edits"), ("decide", "decision"), ("reread", "keep_share"), ("reread", "calls")]),
    value=ODD,
)  # fmt: skip
@often
def test_actions_take_or_refuse_it_too(script: Script, what: tuple[str, str], value: Any) -> None:
    action, field = what
    answer = script.post(f"runs/{Run.objects.get().pk}/{action}/", {field: value})
    assert answer.status_code in (200, 400), answer.content


@given(
    path=st.sampled_from(["runs/", "runs/{}/calls/", "runs/{}/preview/", "runs/{}/outputs/", "comparison/"]),
    name=st.sampled_from(["state", "corpus", "stage", "branch", "outcome", "dialogue", "version", "runs", "cursor",
                          "page_size", "shared_only"]),
    value=st.one_of(st.text(max_size=20), st.integers().map(str), st.sampled_from(["\x00", "9" * 40, "nan", "-1"])),
)  # fmt: skip
@often
def test_filters_too(script: Script, path: str, name: str, value: str) -> None:
    answer = script.get(path.format(Run.objects.get().pk), **{name: value.encode("utf-8", "replace")})
    assert answer.status_code in (200, 400, 404), answer.content


@pytest.mark.parametrize("path", ["preview/?dialogue=%00", "outputs/?version=%00", "calls/?dialogue=%00"])
def test_a_letter_that_no_database_keeps_is_refused(script: Script, path: str) -> None:
    assert script.get(f"runs/{Run.objects.get().pk}/{path}").status_code == 400


@pytest.mark.parametrize("field", ["temperature", "keep_share"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400"])
def test_a_number_that_is_none_is_refused(script: Script, field: str, value: str) -> None:
    assert not 0 <= float(value) <= 2
    answer = script.post("runs/", {**PLAN, field: value})
    assert answer.status_code == 400
    assert field in answer.json()
    assert all(math.isfinite(share) for share in Run.objects.values_list("keep_share", flat=True))


@pytest.mark.parametrize("path", ["runs/{}/", "calls/{}/", "example-sets/{}/", "runs/{}/start/", "runs/{}/outputs/"])
def test_a_number_that_no_row_has_is_404_however_large(script: Script, path: str) -> None:
    for number in (0, 10**9, 10**30):
        ask = script.post if "start" in path else script.get
        assert ask(path.format(number)).status_code == 404


def test_a_very_large_body_is_refused(script: Script) -> None:
    body = json.dumps({**PLAN, "name": "x" * 9 * 2**20})
    answer = script.client.post("/api/runs/", body, content_type="application/json")
    assert answer.status_code in (400, 413)
    deep = "[" * 50_000 + "]" * 50_000
    assert script.client.post("/api/runs/", deep, content_type="application/json").status_code == 400


@pytest.mark.parametrize("value", [2**63, 10**30])
def test_a_budget_that_no_column_holds_is_refused(script: Script, value: int) -> None:
    for path, plan in (("runs/", PLAN), (f"runs/{Run.objects.get().pk}/budget/", {})):
        answer = script.post(path, {**plan, "token_budget": value})
        assert (answer.status_code, list(answer.json())) == (400, ["token_budget"])


@pytest.mark.parametrize("odd", [{"ambiguous_policy": "\ud800"}, {"\ud800": 1}, {"stages": ["\ud800"]}])
def test_half_a_letter_is_refused_wherever_it_stands(script: Script, odd: dict[str, Any]) -> None:
    answer = script.post("runs/", {**PLAN, **odd})
    assert answer.status_code == 400
    assert "half a letter" in answer.json()["detail"]
