"""API keys: written, encrypted, sent to one host, never shown."""

import json
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from dialogues.models import AuditEvent
from generation.endpoints import keys
from generation.models import Endpoint

pytestmark = pytest.mark.django_db

CANARY = "sk-canary-5f1c"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
FORM = {
    "name": "Paid", "base_url": "https://api.example.org/v1", "model": "m", "price_in": "1", "price_out": "2",
    "max_in_flight": "4", "timeout_seconds": "60", "api_key": CANARY,
}  # fmt: skip


@pytest.fixture
def researcher(researcher: Client, settings: Any) -> Client:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    return researcher


def save(client: Client, **changes: str) -> Any:
    pk = Endpoint.objects.values_list("pk", flat=True).first()
    url = reverse("generation:endpoint", args=[pk]) if pk else reverse("generation:endpoint_new")
    return client.post(url, {**FORM, **changes})


def test_a_key_goes_in_encrypted_and_never_comes_out(researcher: Client) -> None:
    save(researcher)
    endpoint = Endpoint.objects.get()
    assert endpoint.api_key() == CANARY
    assert CANARY not in endpoint.encrypted_key
    for page in (reverse("generation:endpoints"), endpoint.get_absolute_url()):
        body = researcher.get(page).content.decode()
        assert CANARY not in body
        assert endpoint.encrypted_key not in body
    dump = StringIO()
    call_command("dumpdata", stdout=dump)
    assert CANARY not in dump.getvalue()
    assert CANARY not in json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))


def test_a_refused_form_does_not_send_the_key_back(researcher: Client) -> None:
    response = save(researcher, base_url="http://10.0.0.1/v1")
    assert response.status_code == 422
    assert CANARY not in response.content.decode()


@pytest.mark.parametrize("key", ["sk-\u2026abc", "sk one", "sk\nX-Header: 1"])
def test_a_key_that_no_request_can_carry_is_refused(researcher: Client, key: str) -> None:
    response = save(researcher, api_key=key)
    assert response.status_code == 422
    assert "plain letters" in response.content.decode()
    assert not Endpoint.objects.exists()


def test_an_empty_field_keeps_the_key(researcher: Client) -> None:
    save(researcher)
    save(researcher, api_key="", model="other")
    endpoint = Endpoint.objects.get()
    assert (endpoint.model, endpoint.api_key()) == ("other", CANARY)


def test_another_host_demands_the_key_anew(researcher: Client) -> None:
    save(researcher)
    response = save(researcher, api_key="", base_url="https://elsewhere.example.org/v1")
    assert "another host" in response.content.decode()
    assert Endpoint.objects.get().base_url == FORM["base_url"]
    save(researcher, api_key="sk-new", base_url="https://elsewhere.example.org/v1")
    assert Endpoint.objects.get().api_key() == "sk-new"


def test_a_stored_key_is_not_sent_to_a_host_changed_behind_the_form(researcher: Client) -> None:
    save(researcher)
    Endpoint.objects.update(base_url="https://evil.example.org/v1")
    assert Endpoint.objects.get().api_key() == ""


def test_a_key_can_be_forgotten(researcher: Client) -> None:
    save(researcher)
    save(researcher, api_key="", forget_key="on")
    assert Endpoint.objects.get().encrypted_key == ""


def test_without_encryption_keys_the_form_says_what_to_set(researcher: Client, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = []
    response = save(researcher)
    assert "FIELD_ENCRYPTION_KEYS" in response.content.decode()
    assert not Endpoint.objects.exists()
    save(researcher, api_key="")
    assert Endpoint.objects.get().api_key() == ""


def test_encryption_keys_rotate_without_loss(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    token = keys.encrypt(CANARY)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotated = keys.rotate(token)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert keys.decrypt(rotated) == CANARY
    with pytest.raises(keys.KeysMissingError, match="no longer"):
        keys.decrypt(token)


def test_a_broken_encryption_key_is_named(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["not a key"]
    with pytest.raises(keys.KeysMissingError, match="not a Fernet key"):
        keys.encrypt("x")
