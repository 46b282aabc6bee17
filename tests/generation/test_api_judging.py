"""Judge runs over HTTP: planned, sent and reported."""

import json
from typing import Any

import pytest

from generation import example_sets
from generation.models import Judgement, Run
from tests.demo_server import DemoServer
from tests.generation.api import Script
from tests.generation.runs import endpoint_at, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def written(demo_model: DemoServer) -> Run:
    """A finished run: β, γ and Stephanie of two backgrounds."""
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    return run


def test_a_judge_run_is_planned_sent_and_reported(written: Run) -> None:
    script = Script()
    plan = {"corpus": "Small", "judges": ["Demo"], "versions": ["beta", "stephanie"], "repeats": 2, "seed": 3}
    made = script.post("judge-runs/", plan, **{"Idempotency-Key": "judge-1"})
    assert made.status_code == 201
    run = made.json()
    assert (run["stages"], run["rubric"], run["repeats"], run["dialogue_count"]) == (["judge"], "paper-six", 2, 4)
    again = script.post("judge-runs/", plan, **{"Idempotency-Key": "judge-1"})
    assert (again.status_code, again.json()["id"]) == (200, run["id"])
    sent = script.get(f"runs/{run['id']}/preview/").json()
    assert sent[0]["stage"] == "judge"
    script.post(f"runs/{run['id']}/start/")
    work(Run.objects.get(pk=run["id"]))
    assert script.get(f"runs/{run['id']}/").json()["state"] == "finished"
    lines = b"".join(script.get(f"runs/{run['id']}/judgements/").streaming_content).splitlines()  # type: ignore[attr-defined]
    assert len(lines) == Judgement.objects.count() == 48
    assert {json.loads(line)["repeat"] for line in lines} == {0, 1}
    report = script.get("judge-report/", corpus="Small").json()
    assert report["judges"][0]["demo"] is True
    assert {mean["version"] for mean in report["judges"][0]["means"]} == {"beta", "stephanie"}
    assert script.get("judge-report/", corpus="Small", runs=str(run["id"])).json() == report


def test_the_same_key_for_another_kind_of_plan_is_refused(written: Run) -> None:
    script = Script()
    plan = {"corpus": "Small", "judges": ["Demo"]}
    script.post("judge-runs/", plan, **{"Idempotency-Key": "one"})
    assert script.post("runs/", plan, **{"Idempotency-Key": "one"}).status_code == 409


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"corpus": "Nope"}, "corpus", "Available: Small"),
        ({"judges": ["Nope"]}, "judges", "Available: Demo"),
        ({"versions": ["omega"]}, "versions", "Available: "),
        ({"writers": ["nobody"]}, "writers", "Available: "),
        ({"rubric": "nonsense"}, "rubric", "Available: "),
        ({"repeats": 21}, "repeats", "1 to 20"),
        ({"runs": [10**30]}, "runs", "less than or equal"),
        ({"writer": ["demo"]}, "writer", "There is no such field"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_its_field(
    written: Run, change: dict[str, Any], field: str, words: str
) -> None:
    answer = Script().post("judge-runs/", {"corpus": "Small", "judges": ["Demo"], **change})
    assert answer.status_code == 400
    assert words in json.dumps(answer.json()[field])
    assert Run.objects.count() == 1


def test_a_report_of_what_is_not_there_is_refused(written: Run) -> None:
    script = Script()
    assert "no corpus" in script.get("judge-report/", corpus="Nope").json()["corpus"][0]
    assert "not a judge run" in script.get("judge-report/", corpus="Small", runs=str(written.pk)).json()["runs"][0]


def test_a_corpus_without_judgements_has_an_empty_report() -> None:
    example_sets.load_all()
    small_corpus(1)
    assert Script().get("judge-report/", corpus="Small").json()["judges"] == []
