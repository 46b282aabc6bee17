"""Planning, starting, watching and reading runs over HTTP, as a script does."""

import json
import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from annotation.roles import Role
from demo.model.faults import DemoSettings
from dialogues.audit import AuditVerb
from dialogues.formats import jsonl
from dialogues.formats.records import Record
from dialogues.models import AuditEvent
from generation import example_sets
from generation.models import AskedRun, Call, ExampleSet, Judgement, Prompt, Run
from tests.demo_server import DemoServer
from tests.generation.api import Script
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus, started, work

PLAN = {"corpus": "Small", "writers": ["Demo"]}
pytestmark = pytest.mark.django_db


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def _house() -> None:
    """Everything a plan needs; nobody answers."""
    example_sets.load_all()
    small_corpus(3)
    endpoint_at(NOWHERE)


@pytest.mark.usefixtures("_house")
def test_a_plan_becomes_a_draft_that_sends_nothing(script: Script) -> None:
    answer = script.post("runs/", PLAN)
    assert answer.status_code == 201
    run = answer.json()
    assert (run["state"], run["dialogue_count"], run["name"]) == ("draft", 3, "Small through Demo")
    assert [row["stage"] for row in run["run_stages"]] == ["theme", "pair", "further_split"]
    assert not Call.objects.exists()
    assert Run.objects.get().created_by == script.user
    assert AuditEvent.objects.get(verb=AuditVerb.RUN_CREATED).actor == script.user


@pytest.mark.usefixtures("_house")
def test_everything_that_planning_takes_can_be_asked_for(script: Script) -> None:
    endpoint_at(NOWHERE, name="Second", model="other")
    pairs, prompt = ExampleSet.objects.get(kind="further_split"), Prompt.objects.get(stage="pair")
    plan = {
        "name": "Two writers", "corpus": "Small", "writers": ["Demo", "Second"], "theme_endpoint": "Second",
        "splitters": ["Demo"], "stages": ["theme", "pair", "further_split"],
        "selection": {"sample": 2, "search": "walk", "fewest_messages": 2, "most_messages": 50, "without": "stephanie"},
        "sets": {"further_split": pairs.pk}, "prompts": {"pair": prompt.pk}, "seed": 7, "temperature": 0.5,
        "max_tokens": 2000, "budget": "12.50", "token_budget": 100000, "keep_share": 0.9,
        "ambiguous_policy": "hold", "reuse_themes": True,
    }  # fmt: skip
    run = script.post("runs/", plan).json()
    rows = [(row["stage"], row["branch"], row["endpoint"]) for row in run["run_stages"]]
    assert rows == [
        ("theme", 0, "Second"), ("pair", 0, "Demo"), ("pair", 1, "Second"),
        ("further_split", 0, "Demo"), ("further_split", 1, "Demo"),
    ]  # fmt: skip
    assert run["run_stages"][3]["example_sets"] == [pairs.pk]
    assert run["run_stages"][1]["parameters"] == {"max_tokens": 2000, "temperature": 0.5}
    assert (run["dialogue_count"], run["seed"], run["budget"], run["token_budget"]) == (2, 7, "12.5000", 100000)
    assert (run["keep_share"], run["ambiguous_policy"]) == (0.9, "hold")


@pytest.mark.usefixtures("_house")
@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"corpus": "Nope"}, "corpus", "Available: Small"),
        ({"writers": ["Nope"]}, "writers", "Available: Demo"),
        ({"writers": []}, "writers", "at least 1"),
        ({"writers": ["Demo", "Demo"]}, "writers", "named twice"),
        ({"theme_endpoint": "Nope"}, "theme_endpoint", "Available: Demo"),
        ({"stages": ["further_split"]}, "stages", "choose the pair stage too"),
        ({"stages": ["pair"]}, "stages", "have no theme"),
        ({"stages": ["nonsense"]}, "stages", "not a valid choice"),
        ({"selection": {"without": "nonsense"}}, "selection", "Available: "),
        ({"selection": {"search": "no dialogue says this"}}, "corpus", "fits the selection"),
        ({"sets": {"single_step": 987}}, "sets", "no example set 987"),
        ({"prompts": {"pair": 987}}, "prompts", "no prompt 987"),
        ({"budgett": "1"}, "budgett", "There is no such field"),
        ({"budget": "-1"}, "budget", "greater than or equal to 0"),
        ({"max_tokens": 3}, "max_tokens", "greater than or equal to 16"),
        ({"run_stages": []}, "run_stages", "There is no such field"),
        ({"spent": 0}, "spent", "There is no such field"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_the_field_it_is_about(
    script: Script, change: dict[str, Any], field: str, words: str
) -> None:
    answer = script.post("runs/", {**PLAN, **change})
    assert answer.status_code == 400
    assert words in json.dumps(answer.json()[field])
    assert not Run.objects.exists()


@pytest.mark.usefixtures("_house")
def test_an_unknown_name_inside_the_selection_is_refused_too(script: Script) -> None:
    answer = script.post("runs/", {**PLAN, "selection": {"smaple": 2}})
    assert answer.status_code == 400
    assert "There is no such field" in answer.json()["selection"]["smaple"][0]


@pytest.mark.usefixtures("_house")
def test_what_is_not_json_is_refused_in_words(script: Script) -> None:
    answer = script.client.post("/api/runs/", "{broken", content_type="application/json")
    assert answer.status_code == 400
    assert "JSON parse error" in answer.json()["detail"]
    assert script.client.post("/api/runs/", {"corpus": "Small"}).status_code == 415
    assert script.post("runs/", ["a", "list"]).status_code == 400


@pytest.mark.usefixtures("_house")
def test_the_same_plan_under_the_same_key_is_one_run(script: Script) -> None:
    first = script.post("runs/", PLAN, **{"Idempotency-Key": "job-1"})
    again = script.post("runs/", PLAN, **{"Idempotency-Key": "job-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Run.objects.count() == 1
    other = script.post("runs/", {**PLAN, "seed": 5}, **{"Idempotency-Key": "job-1"})
    assert other.status_code == 409
    assert "Use a new key" in other.json()["detail"]
    assert script.post("runs/", {**PLAN, "seed": 5}, **{"Idempotency-Key": "job-2"}).status_code == 201
    assert script.post("runs/", PLAN, **{"Idempotency-Key": "k" * 201}).status_code == 400
    neighbour = Script(Role.ADMIN)
    assert neighbour.post("runs/", PLAN, **{"Idempotency-Key": "job-1"}).status_code == 201


@pytest.mark.usefixtures("_house")
def test_a_refused_plan_leaves_its_key_free(script: Script) -> None:
    assert script.post("runs/", {**PLAN, "corpus": "Nope"}, **{"Idempotency-Key": "job"}).status_code == 400
    assert script.post("runs/", PLAN, **{"Idempotency-Key": "job"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_makes_one_run() -> None:
    example_sets.load_all()
    small_corpus(3)
    endpoint_at(NOWHERE)
    script = Script()
    answers = []

    def ask() -> None:
        try:
            answers.append(script.post("runs/", PLAN, **{"Idempotency-Key": "job"}).json()["id"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert Run.objects.count() == AskedRun.objects.count() == 1


@pytest.mark.usefixtures("_house")
def test_a_discarded_draft_is_gone_and_a_started_run_stays(script: Script) -> None:
    pk = script.post("runs/", PLAN, **{"Idempotency-Key": "job"}).json()["id"]
    assert script.post(f"runs/{pk}/discard/").status_code == 204
    assert script.get(f"runs/{pk}/").status_code == 404
    pk = script.post("runs/", PLAN, **{"Idempotency-Key": "job"}).json()["id"]
    script.post(f"runs/{pk}/start/")
    assert script.post(f"runs/{pk}/discard/").status_code == 409


@pytest.mark.usefixtures("_house")
def test_preview_and_estimate_tell_what_would_be_sent(script: Script) -> None:
    pk = script.post("runs/", PLAN).json()["id"]
    shown = script.get(f"runs/{pk}/preview/", dialogue="d1").json()
    assert [row["stage"] for row in shown] == ["theme", "pair", "further_split"]
    assert "hello there ! 1" in json.dumps(shown[0]["messages"])
    assert script.get(f"runs/{pk}/preview/", dialogue="elsewhere").status_code == 404
    estimate = script.get(f"runs/{pk}/estimate/").json()
    assert estimate["calls"] == 9
    assert estimate["tokens"] == sum(row["prompt_tokens"] + row["completion_tokens"] for row in estimate["rows"])
    assert (estimate["themes_reused"], estimate["answered"]) == (0, 0)


@pytest.mark.usefixtures("_house")
def test_start_pause_and_budget_answer_the_run_as_it_is_then(script: Script) -> None:
    pk = script.post("runs/", PLAN).json()["id"]
    assert script.post(f"runs/{pk}/start/").json()["state"] == "running"
    assert script.post(f"runs/{pk}/start/").json()["state"] == "running"
    assert Call.objects.count() == 3
    paused = script.post(f"runs/{pk}/pause/").json()
    assert (paused["state"], paused["pause_cause"]) == ("paused", "hand")
    assert paused["progress"]["waiting"] == 3
    limited = script.post(f"runs/{pk}/budget/", {"budget": "2.5", "token_budget": 5000}).json()
    assert (limited["budget"], limited["token_budget"]) == ("2.5000", 5000)
    assert script.post(f"runs/{pk}/budget/", {}).json()["budget"] is None
    assert script.post(f"runs/{pk}/budget/", {"budget": "lots"}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_finished_run_is_read_to_the_last_line(demo_model: DemoServer, script: Script) -> None:
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    detail = script.get(f"runs/{run.pk}/").json()
    assert (detail["state"], detail["progress"]["done"]) == ("finished", 2)
    lines = b"".join(script.get(f"runs/{run.pk}/outputs/").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    rows = [json.loads(line) for line in lines]
    assert sorted(row["version"] for row in rows) == ["beta", "beta", "gamma", "gamma", "stephanie", "stephanie"]
    assert all(isinstance(record, Record) for record in jsonl.parse(lines))
    assert {row["kept"] is None for row in rows if row["version"] == "stephanie"} == {False}
    only = b"".join(script.get(f"runs/{run.pk}/outputs/", version="beta").streaming_content)  # type: ignore[attr-defined]
    assert only.count(b"\n") == 2
    assert script.get(f"runs/{run.pk}/outputs/", version="nonsense").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_call_shows_what_was_sent_and_what_came_back(demo_model: DemoServer, script: Script) -> None:
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    (pair,) = script.get(f"runs/{run.pk}/calls/", stage="pair", state="done", branch=0).json()["results"]
    assert "raw_reply" not in pair
    call = script.get(f"calls/{pair['id']}/").json()
    assert call["proven"] is True
    assert call["raw_reply"] == Call.objects.get(pk=pair["id"]).raw_reply
    assert len(call["outputs"]) == 2
    assert call["messages"][0]["role"] == "system"
    assert script.get("calls/987654/").status_code == 404
    assert script.get(f"runs/{run.pk}/calls/", run_stage__endpoint__encrypted_key="x").status_code == 400
    assert script.get(f"runs/{run.pk}/calls/", stage="nonsense").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_failed_calls_are_retried_all_by_cause_or_one_by_one(demo_model: DemoServer, script: Script) -> None:
    demo_model.settings = DemoSettings(faults={"bad_request": 1.0})
    run = started(small_corpus(3), endpoint_at(demo_model.base_url))
    work(run)
    failed = script.get(f"runs/{run.pk}/calls/", state="failed").json()["results"]
    assert {call["outcome"] for call in failed} == {"rejected"}
    assert script.post(f"runs/{run.pk}/retry/", {"cause": "truncated"}).json()["calls"] == 0
    one = script.post(f"runs/{run.pk}/retry/", {"calls": [failed[0]["id"]]}).json()
    assert (one["calls"], one["run"]["state"]) == (1, "running")
    assert script.post(f"runs/{run.pk}/retry/", {"cause": "rejected"}).json()["calls"] == 2
    assert script.post(f"runs/{run.pk}/retry/", {"calls": "all"}).status_code == 400
    demo_model.settings = DemoSettings()
    work(run)
    assert script.get(f"runs/{run.pk}/").json()["progress"]["done"] == 3


@pytest.mark.usefixtures("_house")
def test_unanswered_calls_are_decided_one_by_one_or_all(script: Script) -> None:
    run = Run.objects.get(pk=script.post("runs/", PLAN).json()["id"])
    script.post(f"runs/{run.pk}/start/")
    run.calls.update(state=Call.State.AMBIGUOUS, outcome="ambiguous")
    first = run.calls.order_by("pk").first()
    assert first is not None
    assert script.post(f"runs/{run.pk}/decide/", {"decision": "resend", "calls": [first.pk]}).json()["calls"] == 1
    assert script.post(f"runs/{run.pk}/decide/", {"decision": "give_up"}).json()["calls"] == 2
    assert sorted(run.calls.values_list("state", flat=True)) == ["failed", "failed", "todo"]
    assert script.post(f"runs/{run.pk}/decide/", {}).status_code == 400


@pytest.mark.usefixtures("_house")
def test_judgements_are_lines_too(script: Script) -> None:
    run = Run.objects.get(pk=script.post("runs/", PLAN).json()["id"])
    script.post(f"runs/{run.pk}/start/")
    call = run.calls.select_related("dialogue").first()
    assert call is not None
    Judgement.objects.create(call=call, dialogue=call.dialogue, metric="natural", score=71, reason="Ordinary talk.")
    text = b"".join(script.get(f"runs/{run.pk}/judgements/").streaming_content)  # type: ignore[attr-defined]
    (row,) = [json.loads(line) for line in text.splitlines()]
    assert (row["metric"], row["score"], row["origin"], row["repeat"]) == ("natural", 71, call.dialogue.key, 0)


def test_runs_are_filtered_by_state_and_corpus_only(script: Script) -> None:
    endpoint = endpoint_at(NOWHERE)
    draft(small_corpus(1), endpoint)
    running = started(small_corpus(1, name="Second"), endpoint)
    assert [run["id"] for run in script.get("runs/", state="running").json()["results"]] == [running.pk]
    assert [run["id"] for run in script.get("runs/", corpus="Second").json()["results"]] == [running.pk]
    for query in ("created_by__password", "ordering", "corpus__dialogues__theme"):
        assert script.get("runs/", **{query: "x"}).status_code == 400


def test_lists_take_as_many_queries_for_ten_rows_as_for_two(script: Script) -> None:
    endpoint, corpus = endpoint_at(NOWHERE), small_corpus(5)
    runs = [started(corpus, endpoint) for _ in range(2)]
    counts = []
    script.get("runs/")  # the first use of a token is noted
    for size in (2, 10):
        while len(runs) < size:
            runs.append(started(corpus, endpoint))
        with CaptureQueriesContext(connection) as queries:
            assert len(script.get("runs/").json()["results"]) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
    for path in (f"runs/{runs[0].pk}/calls/", f"runs/{runs[0].pk}/"):
        with CaptureQueriesContext(connection) as queries:
            assert script.get(path).status_code == 200
        assert len(queries) <= 12, [query["sql"] for query in queries]


def test_a_rater_and_a_stranger_can_do_nothing() -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE))
    rater = Script(Role.RATER)
    for path in ("runs/", f"runs/{run.pk}/start/", f"runs/{run.pk}/budget/", f"runs/{run.pk}/discard/"):
        answer = rater.post(path, PLAN)
        assert answer.status_code == 403
        assert "Your role cannot" in answer.json()["detail"]
    assert Run.objects.get().state == Run.State.DRAFT


@pytest.mark.usefixtures("_house")
def test_a_browsers_session_needs_its_csrf_token_and_a_script_does_not(script: Script) -> None:
    browser = script.client.__class__(enforce_csrf_checks=True)
    browser.force_login(script.user)
    answer = browser.post("/api/runs/", json.dumps(PLAN), content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
    assert script.post("runs/", PLAN).status_code == 201


def failing(demo_model: DemoServer, **faults: float) -> Run:
    """A run whose every theme had one of these faults."""
    demo_model.settings = DemoSettings(faults=faults)
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    demo_model.settings = DemoSettings()
    return run


@pytest.mark.django_db(transaction=True)
def test_failed_calls_are_asked_anew_with_other_words_and_old_replies_stay(
    demo_model: DemoServer, script: Script
) -> None:
    run = failing(demo_model, truncated=1.0)
    (prompt,) = script.get("prompts/", stage="theme").json()["results"]
    edits = {"theme": {"prompt": {"system": prompt["system"], "user": prompt["user"] + "\nPlease be brief."}}}
    answer = script.post(f"runs/{run.pk}/retry/", {"cause": "truncated", "edits": edits})
    assert (answer.status_code, answer.json()["calls"]) == (200, 2)
    work(run)
    detail = script.get(f"runs/{run.pk}/").json()
    assert (detail["state"], detail["progress"]["done"], detail["progress"]["failed"]) == ("finished", 2, 0)
    assert [row["edition"] for row in detail["run_stages"] if row["stage"] == "theme"] == [1, 2]
    old = script.get(f"runs/{run.pk}/calls/", stage="theme", edition=1, state="failed").json()["results"]
    assert {call["replaced"] for call in old} == {True}
    (new,) = script.get(f"runs/{run.pk}/calls/", stage="theme", edition=2, dialogue="d0").json()["results"]
    assert "Please be brief." in json.dumps(script.get(f"calls/{new['id']}/").json()["messages"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"theme": {"prompt": {"system": "", "user": "No dialogue here."}}}, "cannot be used"),
        ({"theme": {"prompt": {"user": "half"}}}, "required"),
        ({"judge": {"sets": {}}}, "no stage"),
        ({"pair": {"sets": {"single_step": 987}}}, "no example set 987"),
        ({"nonsense": {}}, "There is no such field"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(
    demo_model: DemoServer, script: Script, edits: dict[str, Any], words: str
) -> None:
    run = failing(demo_model, bad_request=1.0)
    answer = script.post(f"runs/{run.pk}/retry/", {"edits": edits})
    assert answer.status_code == 400
    assert words in json.dumps(answer.json()["edits"])
    assert not run.calls.unfinished().exists()


@pytest.mark.django_db(transaction=True)
def test_replies_are_read_again_for_nothing_with_another_threshold(demo_model: DemoServer, script: Script) -> None:
    demo_model.settings = DemoSettings(faults={"lost_content": 1.0})
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    split = run.calls.filter(stage="further_split")
    assert split.failed().exists()
    before = demo_model.stats()
    assert script.post(f"runs/{run.pk}/reread/", {"keep_share": 2}).status_code == 400
    would = script.post(f"runs/{run.pk}/reread/", {"keep_share": 0.1, "dry_run": True}).json()
    change = {"stage": "further_split", "before": "lost_content", "after": "ok", "kept": False, "calls": 2}
    assert (would["calls"], would["changes"], would["run"]["keep_share"]) == (2, [change], 0.8)
    assert split.failed().exists()
    answer = script.post(f"runs/{run.pk}/reread/", {"keep_share": 0.1}).json()
    assert (answer["calls"], answer["changes"], answer["dry_run"]) == (2, [change], False)
    assert answer["run"]["keep_share"] == 0.1
    assert demo_model.stats() == before
    assert not split.failed().exists()


@pytest.mark.django_db(transaction=True)
def test_figures_of_a_run_and_of_several_side_by_side(demo_model: DemoServer, script: Script) -> None:
    corpus, endpoint = small_corpus(2), endpoint_at(demo_model.base_url)
    runs = [started(corpus, endpoint), started(corpus, endpoint)]
    work(*runs)
    figures = script.get(f"runs/{runs[0].pk}/quality/").json()
    assert {row["stage"]: row["reached"] for row in figures["outcomes"]} == {"theme": 2, "pair": 2, "further_split": 2}
    measured = {row["version"]: row for row in figures["written"]}
    assert set(measured) == {"alpha", "beta", "gamma", "stephanie"}
    assert measured["stephanie"]["words_per_message"]["value"] > 0
    assert figures["kept"][0]["kept"]["n"] == 2
    assert figures["demo"] is True
    pair = script.get("comparison/", runs=f"{runs[0].pk},{runs[1].pk}", shared_only="true").json()
    assert len({row["writer"] for row in pair["written"]} - {None}) == 2
    other = started(small_corpus(1, name="Other"), endpoint)
    assert script.get("comparison/", runs=f"{runs[0].pk},{other.pk}").status_code == 400
    assert script.get("comparison/", runs="1,nonsense").status_code == 400
    assert script.get("comparison/", runs="9" * 18).status_code == 404


@pytest.mark.usefixtures("_house")
def test_what_would_not_be_heeded_is_refused(script: Script) -> None:
    run = script.post("runs/", PLAN).json()
    refused = [
        script.post(f"runs/{run['id']}/start/", {"budget": "5"}),
        script.get(f"runs/{run['id']}/outputs/", versions="beta"),
    ]
    assert [answer.status_code for answer in refused] == [400, 400]
    assert Run.objects.get().state == Run.State.DRAFT


@pytest.mark.parametrize("part", ["preview", "estimate"])
def test_what_a_run_would_send_is_refused_with_the_reason_where_its_prompt_cannot_be_filled(
    script: Script, part: str
) -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE), stages=["theme"])
    run.run_stages.update(prompt=Prompt.objects.create(stage="theme", version=9, system="", user="{dialogue}"))
    found = script.get(f"runs/{run.pk}/{part}/")
    assert found.status_code == 409
    assert "the prompt lacks {traits}" in found.json()["detail"]
