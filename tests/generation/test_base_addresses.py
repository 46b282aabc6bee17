"""Addresses as people copy them become the base address they mean, in the form, on the command line and by a check."""

from typing import Any

import pytest

from generation.endpoints.addresses import base_of
from generation.endpoints.checking import check
from generation.forms import EndpointForm
from generation.models import Endpoint
from tests.generation.runs import endpoint_at
from tests.generation.scripted_model import Answer, ScriptedModel, completion

BASE = "https://api.example.org/v1"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (BASE, BASE),
        (f"{BASE}/", BASE),
        (f"{BASE}//", BASE),
        ("https://api.example.org//v1///", BASE),
        (f"{BASE}/chat/completions", BASE),
        (f"{BASE}/Chat/Completions/", BASE),
        (f" {BASE}/completions", BASE),
        (f"{BASE}/models", BASE),
        ("https://api.example.org:8443/openai/deployments/x", "https://api.example.org:8443/openai/deployments/x"),
        ("https://api.example.org", "https://api.example.org"),
        ("https://api.example.org/", "https://api.example.org"),
        # What is wrong is left for those who say so.
        (f"{BASE}?key=1", f"{BASE}?key=1"),
        ("no address", "no address"),
        ("https://[::1", "https://[::1"),
        ("", ""),
    ],
)
def test_an_address_is_brought_to_its_base(given: str, meant: str) -> None:
    assert base_of(given) == meant
    assert base_of(meant) == meant


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["//", "/chat/completions", "/chat/completions//"])
def test_a_check_mends_the_address_of_an_endpoint_and_says_so(model: ScriptedModel, ending: str) -> None:
    url = model.base_url("any", Answer(200, completion("ready")))
    endpoint = endpoint_at(url + ending)
    assert check(endpoint), endpoint.check_result
    endpoint = Endpoint.objects.get()
    assert endpoint.base_url == url
    assert endpoint.check_result.startswith(f"The address is stored as {url} now. Answered as scripted-1")


@pytest.mark.django_db
def test_the_form_stores_the_base_address() -> None:
    data: dict[str, Any] = {
        "name": "One", "base_url": f"{BASE}/chat/completions/", "model": "m", "price_in": "0", "price_out": "0",
        "max_in_flight": "4", "timeout_seconds": "60", "batch_price_share": "0.5",
    }  # fmt: skip
    form = EndpointForm(data)
    assert form.is_valid(), form.errors
    assert form.save().base_url == BASE
