"""The day on which a model will be gone: what an endpoint lists, what a check keeps of it, and what a bundle says."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.endpoints.checking import check
from generation.endpoints.offers import Offer, read_offers
from generation.endpoints.shutdowns import announced
from generation.models import Endpoint, RunStage
from tests.generation.runs import draft, endpoint_at, small_corpus
from tests.generation.scripted_model import Answer, ScriptedModel, completion

DAY = date(2027, 1, 6)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("data", "id", "x")), inner),
    max_leaves=12,
)


def listed(**days: Any) -> dict[str, Any]:
    """As OpenAI lists models."""
    rows = [{"id": name, "object": "model", "created": 0, "shutdown_date": day} for name, day in days.items()]
    return {"object": "list", "data": rows}


def endpoint_listing(model: ScriptedModel, offers: Any) -> Endpoint:
    model.offers["any"] = offers
    return endpoint_at(model.base_url("any", Answer(200, completion("ready"))), model="old")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"id": "m", "shutdown_date": "2027-01-06"}, Offer("m", DAY)),
        ({"id": "m", "expiration_date": "2027-01-06"}, Offer("m", DAY)),
        ({"id": "m", "shutdown_date": None, "expiration_date": "2027-01-06T12:00:00Z"}, Offer("m", DAY)),
        ({"id": "m"}, Offer("m", None)),
        ({"id": "m", "shutdown_date": "soon"}, Offer("m", None)),
        ({"id": "m", "shutdown_date": "2027-02-30"}, Offer("m", None)),
        ({"id": "m", "shutdown_date": 1799193600}, Offer("m", None)),
    ],
)
def test_the_day_is_read_as_providers_write_it(row: dict[str, Any], found: Offer) -> None:
    assert read_offers(json.dumps({"data": [row]})) == [found]


@given(JSON)
def test_a_list_of_any_shape_names_models_or_none(body: Any) -> None:
    for text in (json.dumps(body), json.dumps({"data": body})):
        assert all(offer.model for offer in read_offers(text))


@pytest.mark.django_db(transaction=True)
def test_a_check_keeps_the_days_of_models_in_use_and_says_its_own(model: ScriptedModel) -> None:
    endpoint = endpoint_listing(model, listed(old="2027-01-06", earlier="2026-12-31", other="2026-12-24", lasting=None))
    run = draft(small_corpus(1), endpoint)
    RunStage.objects.filter(pk=run.run_stages.earliest("pk").pk).update(model="earlier")
    assert check(endpoint)
    assert endpoint.check_result.endswith(" The model will be shut down on 6 January 2027.")
    address = endpoint.base_url
    assert announced() == {(address, "old"): DAY, (address, "earlier"): date(2026, 12, 31)}
    # One gets another day, the other is not listed any more: it is gone, and its day remains true.
    model.offers["any"] = listed(old="2027-03-01")
    assert check(endpoint)
    assert announced() == {(address, "old"): date(2027, 3, 1), (address, "earlier"): date(2026, 12, 31)}
    model.offers["any"] = listed(old=None)
    assert check(endpoint)
    assert announced() == {(address, "earlier"): date(2026, 12, 31)}
    assert "shut down" not in endpoint.check_result


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("offers", [[], "no list", {"data": [7, None, {"id": 7}, {"shutdown_date": "2027-01-06"}]}])
def test_a_list_that_is_none_changes_neither_the_check_nor_what_was_told(model: ScriptedModel, offers: Any) -> None:
    endpoint = endpoint_listing(model, listed(old="2027-01-06"))
    check(endpoint)
    model.offers["any"] = offers
    assert check(endpoint)
    assert announced() == {(endpoint.base_url, "old"): DAY}
    del model.offers["any"]
    assert check(endpoint)
    assert announced() == {(endpoint.base_url, "old"): DAY}
