"""A key that was entered, sent, and sent back by a rude provider stands nowhere: not in log, broker, page or export."""

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from generation.models import Call, Run
from tests.browser.server import database_url
from tests.faults import engine
from tests.faults.model_server import running_model
from tests.faults.processes import working_crew
from tests.faults.servers import private_redis
from tests.faults.site import Site
from tests.waiting import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server"),
]
CANARY = "sk-canary-9b1e44d7"
ENDLESS = {"generation:run_events"}  # a stream; what it says is on the page too


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Iterator[Site]:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with private_redis() as broker, running_model() as model:
        yield Site(database_url(), broker, None, model, tmp_path, short=True)


@pytest.fixture
def overheard(site: Site) -> Iterator[list[str]]:
    """Every command that the broker is given while the test goes on."""
    with redis.Redis.from_url(site.redis.url) as client, client.monitor() as monitor:
        heard: list[str] = []
        yield heard
        # Whatever came before this word has been heard when it comes.
        with redis.Redis.from_url(site.redis.url) as last:
            last.echo("over")
        heard += iter(lambda: str(monitor.next_command()["command"]), "ECHO over")
        assert any("generation.run_calls" in command for command in heard)
        assert not [command for command in heard if CANARY in command]


def names(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every named address and what it is asked for."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from names(entry, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and entry.name:
            yield space + entry.name, list(entry.pattern.converters)


def addresses(run: Run) -> Iterator[str]:
    """Every page that may show something of the run, its calls or its endpoint."""
    keys = {run.pk, run.corpus_id, run.endpoints[0].pk, *run.calls.values_list("pk", flat=True)}
    for name, asked in names(get_resolver()):
        if name == "logout" or name.startswith("admin:"):
            continue  # the admin site lists no endpoint, and the dump has what it has
        if not asked:
            yield reverse(name)
        elif asked == ["pk"] and name not in ENDLESS:
            yield from (reverse(name, args=[key]) for key in keys)


def test_a_key_stands_nowhere_but_where_it_is_sent(site: Site, overheard: list[str], admin: Client) -> None:
    run = engine.started(site, "canary", 2, behaviour="echo", endpoint={"timeout_seconds": 20}, stages=["theme"])
    endpoint = engine.endpoint_of(run)
    endpoint.set_key(CANARY)
    endpoint.save()
    environment = {
        "FIELD_ENCRYPTION_KEYS": django_settings.FIELD_ENCRYPTION_KEYS[0],
        "LOG_LEVEL": "DEBUG",
        "FAULTS_SWEEP_SECONDS": "2",
    }
    with working_crew(site, app="tests.faults.worker_app", **environment):
        until(lambda: engine.finished(run), "the run finishes", 120)
    assert site.model.count("canary")["keys"] == [f"Bearer {CANARY}"]
    replies = list(Call.objects.filter(run=run).values_list("raw_reply", "reply_model"))
    assert all("[key]" in text and "[key]" in model for text, model in replies), "the server did send it back"
    assert CANARY not in site.log.read_text()
    assert CANARY not in dumped()
    bodies = {address: admin.get(address) for address in addresses(run)}
    shown = [address for address, response in bodies.items() if response.status_code == 200]
    assert {run.get_absolute_url(), endpoint.get_absolute_url(), reverse("api:endpoints")} <= set(shown)
    assert [address for address in shown if CANARY.encode() in b"".join(bodies[address])] == []
    for command in (["export_dialogues", run.corpus.name], ["run", "status", str(run.pk), "--json"]):
        assert CANARY not in printed(*command)


def dumped() -> str:
    """Every row of every table."""
    text = printed("dumpdata")
    assert json.loads(text)
    return text


def printed(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()
