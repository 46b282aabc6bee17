"""`manage.py endpoint …`: name the servers that answer, where there is no browser."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from core import commands
from core.commands import ExitCode, add_action, print_json
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints import keys
from generation.endpoints.checking import check
from generation.forms import EndpointForm
from generation.models import Endpoint
from generation.models.endpoints import rotate_keys

# Option, default and explanation.
NUMBERS = (
    ("price_in", "0", "US dollars a million input tokens"),
    ("price_out", "0", "US dollars a million output tokens"),
    ("max_in_flight", "16", "calls that may be on their way at the same time, over all workers"),
    ("requests_per_minute", "", "the account's limit; left out: none"),
    ("tokens_per_minute", "", "the account's limit; left out: none"),
    ("timeout_seconds", "120", "how long to wait for an answer, at most 300"),
    ("batch_price_share", "0.5", "price of a call in a batch as a share of its normal price"),
)


class Command(commands.Command):
    help = (
        "Add, check and list endpoints: OpenAI-compatible addresses, their model, price and limits. An API key comes "
        "from an environment variable or stdin, never from an argument, which other people on the machine could read. "
        "rotate-keys follows a new first key in FIELD_ENCRYPTION_KEYS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        add = add_action(actions, "add", "store an endpoint; a real call checks it with --check")
        add.add_argument("--name", required=True, help="what you call it here")
        add.add_argument("--base-url", required=True, metavar="URL", help="like https://api.example.org/v1")
        add.add_argument("--model", required=True, help="the model's name as the endpoint knows it")
        for name, usual, words in NUMBERS:
            add.add_argument(f"--{name.replace('_', '-')}", default=usual, metavar="N", help=words)
        key = add.add_mutually_exclusive_group()
        key.add_argument("--key-env", metavar="VARIABLE", help="the environment variable that holds the API key")
        key.add_argument("--key-stdin", action="store_true", help="read the API key from stdin")
        add.add_argument("--check", action="store_true", help="ask it for one word at once")
        add_action(actions, "check", "ask an endpoint for one word, and store the result").add_argument("name")
        add_action(actions, "list", "all endpoints, without their keys")
        add_action(
            actions, "rotate-keys", "encrypt the stored API keys again, under the first of FIELD_ENCRYPTION_KEYS"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action'].replace('-', '_')}")(options)

    def _add(self, options: dict[str, Any]) -> None:
        fields = ("name", "base_url", "model", *(name for name, _, _ in NUMBERS))
        form = EndpointForm({**{name: options[name] for name in fields}, "api_key": _key(options)})
        if not form.is_valid():
            raise CommandError(_reasons(form))
        with transaction.atomic():
            endpoint = form.save()
            AuditEvent.record(None, AuditVerb.ENDPOINT_ADDED, endpoint, key="api_key" in form.changed_data)
        if options["check"]:
            self._check({**options, "name": endpoint.name})
        else:
            self._tell(endpoint, options, f"{endpoint.name} is saved. Check it before you use it.")

    def _check(self, options: dict[str, Any]) -> None:
        endpoint = Endpoint.objects.filter(name=options["name"]).first()
        if endpoint is None:
            known = ", ".join(Endpoint.objects.values_list("name", flat=True)[:10]) or "none yet"
            raise CommandError(f"There is no endpoint named {options['name']!r}. Available: {known}.")
        answered = check(endpoint)
        self._tell(endpoint, options, endpoint.check_result)
        if not answered:
            sys.exit(ExitCode.REFUSED)

    def _list(self, options: dict[str, Any]) -> None:
        endpoints = list(Endpoint.objects.all())
        if options["json"]:
            print_json(self, {"endpoints": [as_json(endpoint) for endpoint in endpoints]})
        for endpoint in [] if options["json"] else endpoints:
            checked = endpoint.check_result if endpoint.checked_at else "Not checked yet."
            self.stdout.write(f"{endpoint.name}: {endpoint.model} at {endpoint.base_url}. {checked}")

    def _rotate_keys(self, options: dict[str, Any]) -> None:
        try:
            rotated, unopened = rotate_keys()
        except keys.KeysMissingError as problem:
            raise CommandError(str(problem)) from None
        if options["json"]:
            print_json(self, {"rotated": rotated, "unopened": unopened})
        else:
            self.stdout.write(f"API keys encrypted under the newest key: {len(rotated)}.")
            self.stdout.write(
                f"No present key opens those of: {', '.join(unopened)}. Put the key that wrote them back into "
                "FIELD_ENCRYPTION_KEYS and run this again, or enter the API keys again."
                if unopened
                else "Everything is stored under it; the older keys can leave FIELD_ENCRYPTION_KEYS."
            )
        if unopened:
            sys.exit(ExitCode.REFUSED)

    def _tell(self, endpoint: Endpoint, options: dict[str, Any], words: str) -> None:
        if options["json"]:
            print_json(self, as_json(endpoint))
        else:
            self.stdout.write(words)


def _key(options: dict[str, Any]) -> str:
    if options["key_stdin"]:
        return sys.stdin.readline().strip()
    variable = options["key_env"]
    if not variable:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise CommandError(f"The environment variable {variable} is empty or not set. Export the key in it first.")
    return key


def _reasons(form: EndpointForm) -> str:
    """Every problem under the name of its option."""
    return " ".join(
        f"--{'key-env' if field == 'api_key' else field.replace('_', '-')}: {' '.join(map(str, problems))}"
        for field, problems in form.errors.items()
    )


def as_json(endpoint: Endpoint) -> dict[str, Any]:
    """All but the key."""
    return {
        "endpoint": endpoint.pk,
        "name": endpoint.name,
        "base_url": endpoint.base_url,
        "model": endpoint.model,
        "has_key": endpoint.has_key,
        "price_in": str(endpoint.price_in),
        "price_out": str(endpoint.price_out),
        "max_in_flight": endpoint.max_in_flight,
        "checked_at": endpoint.checked_at and endpoint.checked_at.isoformat(timespec="seconds"),
        "check_passed": endpoint.check_passed,
        "check_result": endpoint.check_result,
        "is_demo": endpoint.is_demo,
        "structured_output": endpoint.structured_output,
        "supports_batch": endpoint.supports_batch,
    }
