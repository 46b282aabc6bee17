"""Answers in every shape that servers give them, through a run over HTTP: read right, or named for what they are."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.model.faults import DemoSettings
from dialogues.models import Rubric
from generation.engine import lifecycle
from generation.judgements.judge_plan import JudgeChoice, create_judge_run
from generation.judgements.selection import Wanted
from generation.models import Call, Endpoint, Run
from tests.demo_server import running
from tests.generation.judged import METRICS
from tests.generation.runs import endpoint_at, fetched, small_corpus, started, work
from tests.generation.scripted_model import Answer, ScriptedModel, completion, events

pytestmark = pytest.mark.django_db(transaction=True)


def theme(first: str) -> str:
    return json.dumps({"theme": " ".join([first, *["hills"] * 59])})


DRAFT, FINAL = theme("Sketch"), theme("Chosen")
SAME = {"outcome": "ok", "theme_begins": "Chosen"}
NO = "I would rather not write about this."
FLAGGED = {"error": {"message": "example-7b requires moderation and your input was flagged", "code": 403,
                     "metadata": {"reasons": ["harassment"], "flagged_input": "…"}}}  # fmt: skip


def part(kind: str, text: Any) -> dict[str, Any]:
    return {"type": kind, kind: text}


def tool(arguments: Any, **call: Any) -> dict[str, Any]:
    return {
        "tool_calls": [{"id": "t", "type": "function", "function": {"name": "reply", "arguments": arguments}}],
        **call,
    }


def chunk(**delta: Any) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "model": "scripted-1",
        "choices": [{"index": 0, "delta": delta}],
    }


STREAM = [chunk(role="assistant", content=""), *(chunk(content=piece) for piece in (FINAL[:30], FINAL[30:])),
          {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
          {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}]  # fmt: skip

# By name: what the server answers, and what must become of it.
OWN: Mapping[str, tuple[Answer, Mapping[str, Any]]] = {
    name: (answer if isinstance(answer, Answer) else Answer(200, answer), expect)
    for name, answer, expect in (
        ("end-alone", completion(f"{DRAFT}\nHm, again.\n</thinking>\n\n{FINAL}"), SAME),
        ("in-capitals", completion(f"<Thinking>{DRAFT}</THINKING>{FINAL}"), SAME),
        ("in-brackets", completion(f"[think]{DRAFT}[/think] {FINAL}"), SAME),
        ("twice", completion(f"Right.\n<thought>{DRAFT}</thought><reasoning>{DRAFT}</reasoning>{FINAL}"), SAME),
        ("channels", completion(
            f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final <|constrain|>json"
            f"<|message|>{FINAL}<|return|>"), SAME),
        ("corrected", completion(f"```json\n{DRAFT}\n```\nBetter:\n```json\n{FINAL}\n```"), SAME),
        ("never-ends", completion(f"<think>{DRAFT} or perhaps", "stop"), {"outcome": "unparsable"}),
        ("never-ends-cut", completion(f"<think>{DRAFT} or perhaps", "length"), {"outcome": "truncated"}),
        ("reasoning-only", completion(f"<think>{DRAFT}</think>"), {"outcome": "unparsable"}),
        ("parts", completion([part("thinking", [part("text", DRAFT)]), part("text", FINAL[:40]),
                              part("text", FINAL[40:])]), SAME),
        ("reasoning-beside", completion(FINAL, reasoning_content=DRAFT, reasoning=DRAFT), SAME),
        ("older", {"model": "m", "choices": [{"text": FINAL, "finish_reason": "stop"}]}, SAME),
        ("tool", completion(None, "tool_calls", **tool(FINAL)), SAME),
        ("tool-object", completion("Here it is:", "tool_calls", **tool(json.loads(FINAL))), SAME),
        ("older-tool", completion(None, "function_call", function_call={"name": "reply", "arguments": FINAL}), SAME),
        ("unknown", completion([part("image", "…")]), {"outcome": "empty", "raw_body_kept": True}),
        ("declined", completion(None, refusal=NO), {"outcome": "refused", "words": NO, "attempts": 1}),
        ("declined-in-parts", completion([part("refusal", NO)]), {"outcome": "refused", "words": NO, "attempts": 1}),
        ("declined-in-prose", completion("I'm sorry, but I can't help with this conversation."),
         {"outcome": "refused", "words": "can't help with this conversation", "attempts": 1}),
        ("declined-at-the-end", completion("", "refusal"), {"outcome": "refused", "attempts": 1}),
        ("too-many", {"error": {"message": "Too many requests this minute.", "code": "429"}},
         {"trouble": "rate_limited", "paid": False}),
        ("broken", {"model": "m", "choices": [{"message": {"content": ""}, "finish_reason": "error",
                                               "error": {"message": "Upstream gave up", "code": 503}}]},
         {"trouble": "provider", "paid": False}),
        ("broken-words", {"error": "the model is still loading"}, {"trouble": "provider", "paid": False}),
        ("broken-halfway", completion(FINAL[:50], "error"), {"trouble": "provider", "paid": False}),
        ("flagged", Answer(403, FLAGGED), {"outcome": "filtered", "run_goes_on": True}),
        ("flagged-in-200", {"error": FLAGGED["error"]}, {"outcome": "filtered", "run_goes_on": True}),
        ("policy", Answer(400, {"error": {"message": "Your prompt was held back.", "code": "content_filter"}}),
         {"outcome": "filtered", "run_goes_on": True}),
        ("fractions", {**completion(FINAL), "usage": {"prompt_tokens": 11.0, "completion_tokens": 6.5}},
         {**SAME, "prompt_tokens": 11, "completion_tokens": 7}),
        ("stream", Answer(200, events(STREAM), "text/event-stream"), {**SAME, "prompt_tokens": 11}),
        ("stream-without-gaps", Answer(200, events(STREAM, end="\n"), "text/event-stream"), SAME),
        ("stream-of-tools", Answer(200, events([
            chunk(tool_calls=[{"index": 0, "function": {"arguments": FINAL[:20]}}]),
            chunk(tool_calls=[{"index": 0, "function": {"arguments": FINAL[20:]}}])]), "text/event-stream"), SAME),
        ("stream-of-trouble", Answer(200, f": hello\n\nevent: error\ndata: {json.dumps(FLAGGED)}\n\n"),
         {"outcome": "filtered", "run_goes_on": True}),
    )
}  # fmt: skip


@pytest.mark.any_database
def test_every_shape_of_answer_is_read_or_named_for_what_it_is(model: ScriptedModel) -> None:
    assert_becomes(model, OWN)


def test_the_collected_answers_become_what_they_should(model: ScriptedModel, shared_cases: Path) -> None:
    cases = json.loads((shared_cases / "replies.json").read_text())
    assert len(cases) == 24
    assert_becomes(model, {case["name"]: (Answer(case["status"], case["body"]), case["expect"]) for case in cases})


def assert_becomes(model: ScriptedModel, cases: Mapping[str, tuple[Answer, Mapping[str, Any]]]) -> None:
    """One run a case: three dialogues where the run must go on, else one. Trouble comes once, then a good answer."""
    corpus, good = small_corpus(3), Answer(200, completion(FINAL))
    runs: dict[str, Run] = {}
    for name, (answer, expect) in cases.items():
        once = "trouble" in expect or "run_goes_on" in expect
        url = model.base_url(name, answer, good) if once else model.base_url(name, answer)
        endpoint = endpoint_at(url, name=name, max_in_flight=1, price_in=1, price_out=1)
        size = 3 if "run_goes_on" in expect else 1
        runs[name] = started(corpus, endpoint, stages=["theme"], sample=size)
    work(*runs.values())
    wrong = {}
    for name, run in runs.items():
        found = became(run, model.requests[name], cases[name][1])
        if found != cases[name][1]:
            wrong[name] = found
    assert not wrong, wrong


def became(run: Run, requests: int, expect: Mapping[str, Any]) -> dict[str, Any]:
    """What a run shows of each thing that is expected, by the same names."""
    run.refresh_from_db()
    last = run.calls.order_by("-repair").first()
    call = run.calls.get(state=Call.State.FAILED) if "run_goes_on" in expect else last
    assert call is not None
    background = run.backgrounds.first()
    told: dict[str, Any] = {
        "outcome": call.outcome,
        "theme_begins": background.theme.split()[0] if background else None,
        "raw_body_kept": bool(call.raw_body),
        "words": expect.get("words") if expect.get("words", "") in call.error else call.error,
        "attempts": requests,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
    }
    told["trouble"] = "rate_limited" if call.refusals else "provider" if call.tries == 2 else call.outcome
    # Only the good answers were paid for.
    good = run.calls.filter(outcome="ok").count()
    priced = sum((Decimal(one.prompt_tokens + one.completion_tokens) / 10**6 for one in run.calls.all()), Decimal(0))
    told["paid"] = not (good == 1 and run.spent == priced and requests == 2)
    told["run_goes_on"] = (run.state, good, requests, run.spent) == (Run.State.FINISHED, 2, 3, priced)
    return {name: told[name] for name in expect}


def test_judgements_are_read_as_other_replies_are(model: ScriptedModel) -> None:
    with running(DemoSettings(seed=7)) as demo:
        corpus = small_corpus(1)
        work(started(corpus, endpoint_at(demo.base_url), seed=3))
    first, last = scores(10), scores(90)
    answers = {
        "judge-thinks": Answer(200, completion(f"Perhaps {first}\n</think>\n{last}")),
        "judge-in-parts": Answer(200, completion([part("thinking", first), part("text", last)])),
        "judge-corrects": Answer(200, completion(f"{first}\nOn reflection:\n{last}")),
        "judge-declines": Answer(200, completion(None, refusal=NO)),
        "judge-flagged": Answer(403, FLAGGED),
    }
    runs = {name: judge_of(corpus, model.base_url(name, answer), name) for name, answer in answers.items()}
    work(*runs.values())
    for name in list(answers)[:3]:
        given = set(runs[name].calls.get().judgements.values_list("metric", "score"))
        assert given == {(metric, 90.0) for metric in METRICS}, name
    assert runs["judge-corrects"].calls.get().note.startswith("The reply holds 2 answers")
    ended = {name: runs[name].calls.get() for name in list(answers)[3:]}
    assert {call.outcome for call in ended.values()} == {"refused", "filtered"}
    assert NO in ended["judge-declines"].error
    assert "harassment" in ended["judge-flagged"].error
    assert {model.requests[name] for name in ended} == {1}


def scores(value: int) -> str:
    return json.dumps({metric: {"reason": "It is so.", "score": value} for metric in METRICS})


def judge_of(corpus: Any, url: str, name: str) -> Run:
    endpoint = endpoint_at(url, name=name, model=name)
    wanted = Wanted(corpus, versions=("alpha",))
    run = create_judge_run(
        JudgeChoice(name=name, wanted=wanted, judges=[endpoint], rubric=Rubric.objects.get(slug="paper-six"))
    )
    lifecycle.start(run)
    return fetched(run)


def test_a_key_that_may_not_use_a_model_is_told_from_one_that_is_wrong(model: ScriptedModel) -> None:
    said = {}
    for name, status in (("unknown-key", 401), ("not-allowed", 403)):
        body = {"error": {"message": "This project does not have access to the model."}}
        run = started(small_corpus(1, name), endpoint_at(model.base_url(name, Answer(status, body)), name=name))
        work_until_paused(run)
        said[name] = run.state_reason
    assert "does not accept the API key" in said["unknown-key"]
    assert "Correct the key" in said["unknown-key"]
    assert "forbids the call" in said["not-allowed"]
    assert "Correct the key" not in said["not-allowed"]
    assert all("This project does not have access to the model." in words for words in said.values())


def work_until_paused(run: Run) -> None:
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED


def test_a_run_that_an_endpoint_refuses_says_what_to_check(model: ScriptedModel) -> None:
    body = {"error": {"message": "Unknown model example-8b."}}
    endpoint = endpoint_at(model.base_url("wrong-model", Answer(404, body)), max_in_flight=2)
    run = started(small_corpus(80), endpoint, stages=["theme"])
    work_until_paused(run)
    assert "Unknown model example-8b." in run.state_reason
    assert "check the model's name and the settings" in run.state_reason
    assert Endpoint.objects.get().check_passed is False
