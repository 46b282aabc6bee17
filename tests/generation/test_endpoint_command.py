"""`manage.py endpoint …`: servers named without a browser, keys that go in and never come out."""

import io
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.models import Endpoint
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-canary-0123456789"
NAMED = ("add", "--name", "House", "--model", "demo-rules")


@pytest.fixture(autouse=True)
def encryption(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]


def run_command(*arguments: str) -> Any:
    out = io.StringIO()
    try:
        call_command("endpoint", *arguments, stdout=out)
    finally:
        assert KEY not in out.getvalue()
    return json.loads(out.getvalue()) if "--json" in arguments else out.getvalue()


def test_an_endpoint_is_added_checked_and_listed(demo_model: DemoServer) -> None:
    made = run_command(*NAMED, "--base-url", demo_model.base_url, "--max-in-flight", "4", "--json")
    assert (made["max_in_flight"], made["check_passed"], made["has_key"]) == (4, False, False)
    assert run_command("check", "House", "--json")["check_passed"] is True
    (listed,) = run_command("list", "--json")["endpoints"]
    assert (listed["name"], listed["is_demo"]) == ("House", True)
    assert [event.verb for event in AuditEvent.objects.all()] == [AuditVerb.ENDPOINT_ADDED]


def test_a_key_comes_from_the_environment_or_stdin_and_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_KEY", KEY)
    run_command(*NAMED, "--base-url", NOWHERE, "--key-env", "HOUSE_KEY", "--json")
    assert Endpoint.objects.get().api_key() == KEY
    Endpoint.objects.all().delete()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))
    run_command(*NAMED, "--base-url", NOWHERE, "--key-stdin")
    assert Endpoint.objects.get().api_key() == KEY
    run_command("list")


def test_a_failed_check_exits_with_one_and_keeps_the_endpoint() -> None:
    with pytest.raises(SystemExit) as failed:
        run_command(*NAMED, "--base-url", NOWHERE, "--check")
    assert failed.value.code == 1
    assert not Endpoint.objects.get().check_passed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*NAMED, "--base-url", "http://169.254.169.254/v1"), "--base-url: "),
        ((*NAMED, "--base-url", NOWHERE, "--max-in-flight", "many"), "--max-in-flight: "),
        ((*NAMED, "--base-url", NOWHERE, "--key-env", "NO_SUCH"), "NO_SUCH is empty or not set"),
        (("check", "Elsewhere"), "Available: none yet"),
    ],
)
def test_an_error_says_which_option_it_is_about(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run_command(*arguments)
    assert not Endpoint.objects.exists()


def stored(name: str, key: str) -> None:
    endpoint = Endpoint(name=name, base_url=f"https://{name.lower()}.example.org/v1", model="m")
    endpoint.set_key(key)
    endpoint.save()


def key_of(name: str) -> str:
    return Endpoint.objects.get(name=name).api_key()


def test_keys_move_under_the_newest_encryption_key_and_the_old_one_can_go(settings: Any) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    stored("House", KEY)
    stored("Lab", "sk-another-key-77")
    Endpoint.objects.create(name="Open", base_url="https://open.example.org/v1", model="m")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert run_command("rotate-keys", "--json") == {"rotated": ["House", "Lab"], "unopened": []}
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert (key_of("House"), key_of("Lab"), key_of("Open")) == (KEY, "sk-another-key-77", "")
    events = AuditEvent.objects.filter(verb=AuditVerb.ENDPOINT_KEY_ROTATED)
    assert events.count() == 2
    assert KEY not in str(list(events.values()))


def test_a_key_that_nothing_opens_is_named_and_kept_while_the_others_move(settings: Any) -> None:
    lost = settings.FIELD_ENCRYPTION_KEYS[0]
    stored("House", KEY)
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    stored("Lab", "sk-another-key-77")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("endpoint", "rotate-keys", stdout=out)
    assert ended.value.code == 1
    assert "No present key opens those of: House." in out.getvalue()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert key_of("Lab") == "sk-another-key-77"
    settings.FIELD_ENCRYPTION_KEYS = [new, lost]
    assert run_command("rotate-keys", "--json") == {"rotated": ["House", "Lab"], "unopened": []}
    assert key_of("House") == KEY


@pytest.mark.parametrize(("present", "words"), [([], "is not set"), (["nonsense"], "not a Fernet key")])
def test_without_a_usable_encryption_key_nothing_is_rotated(settings: Any, present: list[str], words: str) -> None:
    stored("House", KEY)
    settings.FIELD_ENCRYPTION_KEYS = present
    with pytest.raises(CommandError, match=words):
        run_command("rotate-keys")
