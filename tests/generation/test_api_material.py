"""What a script may read before it plans a run, and how the API answers whatever it is asked."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from annotation.roles import Role
from generation import example_sets
from generation.api import common
from generation.models import Endpoint, ExampleSet
from tests.generation.api import Script
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus
from tests.people import PASSWORD, make_user

pytestmark = pytest.mark.django_db
LISTS = ("corpora/", "endpoints/", "example-sets/", "prompts/")


def test_a_script_reads_what_a_run_is_made_from() -> None:
    example_sets.load_all()
    small_corpus(3)
    endpoint_at(NOWHERE)
    script = Script()
    (corpus,) = script.get("corpora/").json()["results"]
    assert (corpus["name"], corpus["originals"], corpus["generated"]) == ("Small", 3, 0)
    (endpoint,) = script.get("endpoints/").json()["results"]
    assert (endpoint["name"], endpoint["has_key"]) == ("Demo", False)
    (pairs,) = script.get("example-sets/", kind="further_split").json()["results"]
    shown = script.get(f"example-sets/{pairs['id']}/").json()["examples"]
    assert len(shown) == ExampleSet.objects.get(pk=pairs["id"]).examples.count()
    (prompt,) = script.get("prompts/", stage="pair").json()["results"]
    assert prompt["user"]


def test_no_answer_holds_an_endpoints_key(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    endpoint = endpoint_at(NOWHERE)
    endpoint.set_key("sk-canary")
    endpoint.save()
    text = Script().get("endpoints/").content.decode()
    assert '"has_key":true' in text
    assert "sk-canary" not in text
    assert Endpoint.objects.get().encrypted_key not in text


@pytest.mark.parametrize("path", LISTS)
def test_a_page_of_anything_takes_the_same_few_queries_however_long_it_is(path: str) -> None:
    example_sets.load_all()
    script = Script()
    counts = []
    for number in range(3):
        small_corpus(1, name=f"Corpus {number}")
        endpoint_at(NOWHERE, name=f"Endpoint {number}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert script.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert counts[2] <= 7, [query["sql"] for query in queries]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["created_by__password", "ordering", "encrypted_key", "o"])
def test_filters_are_named_ones_only_and_walk_no_relation(path: str, query: str) -> None:
    answer = Script().get(path, **{query: "x"})
    assert answer.status_code == 400
    assert "There is no such field" in answer.json()[query][0]


def test_pages_lead_to_one_another() -> None:
    for number in range(5):
        endpoint_at(NOWHERE, name=f"Endpoint {number}")
    script = Script()
    names, address = [], "endpoints/?page_size=2"
    while address:
        page = script.get(address).json()
        names += [row["name"] for row in page["results"]]
        address = page["next"]
    assert names == [f"Endpoint {number}" for number in reversed(range(5))]


def test_a_raters_token_is_refused_with_a_reason() -> None:
    answer = Script(Role.RATER).get("endpoints/")
    assert answer.status_code == 403
    assert "Your role cannot see endpoints" in answer.json()["detail"]


def test_a_stranger_is_told_to_send_a_token() -> None:
    answer = Client().get("/api/endpoints/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_browsers_session_opens_the_api_too() -> None:
    make_user(Role.RESEARCHER)
    client = Client()
    client.post("/login/", {"username": "the-researcher", "password": PASSWORD})
    assert client.get("/api/endpoints/").status_code == 200


def test_a_loop_that_forgets_to_wait_is_told_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(common.Pace, "rate", "3/min")
    script = Script()
    answers = [script.get("prompts/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3]["Retry-After"]) <= 60


def test_the_schema_is_valid_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    # An address that the generator does not understand is complained about there.
    assert capsys.readouterr().err == ""
    assert "/api/endpoints/" in schema["paths"]
    assert not [path for path in schema["paths"] if not path.startswith("/api/")]
    served = Script().get("schema/").json()
    assert set(served["paths"]) == set(schema["paths"])
    assert {"token": []} in served["paths"]["/api/endpoints/"]["get"]["security"]


def test_copies_that_trials_were_made_with_are_listed_nowhere_and_chosen_by_nobody() -> None:
    example_sets.load_all()
    draft = ExampleSet.objects.get(kind="single_step")
    copy = ExampleSet.objects.create(name="A copy", kind="single_step", snapshot_of=draft)
    script = Script()
    assert [row["name"] for row in script.get("example-sets/").json()["results"]] == ["Stephanie examples"] * 3
    small_corpus(1)
    endpoint_at(NOWHERE)
    plan = {"corpus": "Small", "writers": ["Demo"], "sets": {"single_step": copy.pk}}
    answer = script.post("runs/", plan)
    assert answer.status_code == 400
    assert f"no example set {copy.pk}" in answer.content.decode()
