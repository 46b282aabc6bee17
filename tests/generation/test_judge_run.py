"""Judge runs over real HTTP: blind, in seeded order, all scores or none, and never paid for twice."""

import json
from collections import Counter
from typing import Any

import pytest

from demo.model.faults import DemoSettings
from dialogues.baseline import split_all
from dialogues.models import Corpus, Dialogue, Rubric, Version
from generation import example_sets
from generation.engine import lifecycle, rereading, retrying
from generation.engine.requests import build, with_stages
from generation.judgements.judge_plan import JudgeChoice, create_judge_run
from generation.judgements.loading import findings_of
from generation.judgements.selection import Wanted
from generation.judgements.tables import judge_tables
from generation.models import Background, Call, Endpoint, Judgement, Run, RunDialogue, Stage
from generation.plans import run_plan
from generation.plans.estimating import estimate, preview
from generation.plans.run_plan import PlanError
from generation.watching.progress import progress_of
from tests.demo_server import DemoServer
from tests.dialogues.rows import add_dialogue
from tests.generation.judged import METRICS
from tests.generation.runs import NOWHERE, endpoint_at, fetched, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)
ALL = ("alpha", "beta", "gamma", "stephanie")


@pytest.fixture
def written(demo_model: DemoServer) -> Corpus:
    """Three dialogues with all versions and the punctuation baseline, written by the demo model."""
    corpus = small_corpus()
    work(started(corpus, endpoint_at(demo_model.base_url), seed=3))
    split_all(corpus)
    assert Counter(corpus.dialogues.values_list("version", flat=True)) == dict.fromkeys((*ALL, "punctuation"), 3)
    return corpus


def judges(*names: str, like: str = "Demo") -> list[Endpoint]:
    at = Endpoint.objects.get(name=like).base_url
    return [endpoint_at(at, name=name, model=name) for name in names]


def planned(corpus: Corpus, judges: list[Endpoint], **choice: Any) -> Run:
    picked = {name: choice.pop(name) for name in ("versions", "sample", "seed", "whole") if name in choice}
    wanted = Wanted(corpus, **{"versions": ALL, **picked})
    fields = {"name": "Judging", "rubric": Rubric.objects.get(slug="paper-six"), **choice}
    run = create_judge_run(JudgeChoice(wanted=wanted, judges=judges, **fields))
    return fetched(run)


def judged(corpus: Corpus, judges: list[Endpoint], **choice: Any) -> Run:
    run = planned(corpus, judges, **choice)
    lifecycle.start(run)
    work(run)
    return fetched(run)


def test_every_version_is_scored_on_every_metric_by_every_judge_every_time(written: Corpus) -> None:
    run = judged(written, judges("first", "second"), repeats=3, versions=(*ALL, "punctuation"))
    assert run.state == Run.State.FINISHED
    calls = Call.objects.filter(run=run)
    assert Counter(calls.values_list("state", "outcome")) == {("done", "ok"): 15 * 2 * 3}
    assert Judgement.objects.count() == 15 * 2 * 3 * 6
    assert set(Judgement.objects.values_list("metric", flat=True)) == set(METRICS)
    assert not Judgement.objects.filter(reason="").exists()
    places = Judgement.objects.values_list("call__run_stage__model", "call__sample").distinct()
    assert set(places) == {(model, sample) for model in ("first", "second") for sample in range(3)}
    progress = progress_of(run)
    assert (progress.done, progress.journeys, progress.failed) == (90, 90, 0)
    assert progress.sentence == "90 of 90 judgements"
    tables = judge_tables(findings_of(written))
    assert {"scores-1", "scores-2", "differences-1", "repeats", "judges", "calls"} <= set(tables)


def test_no_byte_sent_to_a_judge_tells_where_a_dialogue_comes_from(written: Corpus) -> None:
    Corpus.objects.filter(pk=written.pk).update(name="Zebrafinch corpus")
    Dialogue.objects.filter(pk__in=written.dialogues.values("pk")).update(written_by="secret-writer-9000")
    for row in written.dialogues.all():
        Dialogue.objects.filter(pk=row.pk).update(key=f"wombat-{row.pk}")
    run = judged(written, judges("judge-model"), versions=(*ALL, "punctuation"), name="Okapi comparison")
    forbidden = ["zebrafinch", "wombat", "okapi", "secret-writer", "demo-rules", "written_by", "step-by-step",
                 "single", "split", "original", "generated"]  # fmt: skip
    forbidden += [
        text.lower() for version in Version.objects.all() for text in (version.slug, version.symbol, version.name)
    ]
    seen = 0
    for request in build(with_stages(list(run.calls.select_related("dialogue", "alpha")))):
        sent = json.dumps([request.messages, request.parameters], ensure_ascii=False).lower()
        leaks = [word for word in forbidden if word in sent]
        assert not leaks, leaks
        assert set(request.parameters) == {"model", "seed", "max_tokens"}
        seen += 1
    assert seen == 15
    assert all(call.request_sha256 for call in run.calls.all())


def test_all_versions_of_a_background_are_shown_with_the_same_words_beside_them(written: Corpus) -> None:
    run = planned(written, judges("judge-model"), versions=(*ALL, "punctuation"))
    lifecycle.start(run)
    calls = with_stages(list(run.calls.select_related("dialogue", "alpha")))
    beside: dict[int, set[str]] = {}
    for call, request in zip(calls, build(calls), strict=True):
        block = request.messages[-1]["content"].split("<background>")[1].split("</background>")[0]
        beside.setdefault(call.alpha_id, set()).add(block)
        theme = Background.objects.get(dialogue=call.alpha_id).theme
        assert json.dumps(theme, ensure_ascii=False) in block
        assert "I have a dog." in block
    assert [len(blocks) for blocks in beside.values()] == [1, 1, 1]


def test_what_was_sent_can_be_proven_by_building_it_again(written: Corpus) -> None:
    run = judged(written, judges("judge-model"))
    calls = with_stages(list(run.calls.select_related("dialogue", "alpha")))
    assert [call.request_sha256 for call in calls] == [request.sha256 for request in build(calls)]
    assert all(row.prompt.frozen_at for row in run.rows_of(Stage.JUDGE))


def test_calls_are_written_in_an_order_that_the_seed_alone_decides(written: Corpus) -> None:
    judge = judges("judge-model")
    orders = []
    for seed in (1, 1, 2):
        run = planned(written, judge, seed=seed, again=True)
        lifecycle.start(run)
        orders.append(list(run.calls.order_by("pk").values_list("dialogue", flat=True)))
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) != orders[0]


def test_a_judge_that_cannot_be_reached_gives_no_score(written: Corpus, demo_model: DemoServer) -> None:
    judge = judges("judge-model")
    demo_model.settings = DemoSettings(seed=7, faults={"server_error": 1.0})
    run = judged(written, judge)
    assert run.state == Run.State.PAUSED
    assert not Judgement.objects.exists()
    assert "scores-1" not in judge_tables(findings_of(written))
    demo_model.settings = DemoSettings(seed=7)
    ledger_calls_now(run)
    lifecycle.start(run)
    work(run)
    assert Judgement.objects.values("call").distinct().count() == run.calls.filter(outcome="ok").count()


def ledger_calls_now(run: Run) -> None:
    """What waits for a second try needs not wait in a test."""
    run.calls.filter(state=Call.State.TODO).update(not_before=run.started_at)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "fault",
    ["score_missing", "score_not_a_number", "score_out_of_range", "reason_missing", "unparsable",
     "truncated", "filtered", "empty", "blank"],
)  # fmt: skip
def test_a_reply_that_is_no_judgement_is_repaired_or_fails_by_name_without_a_score(
    written: Corpus, demo_model: DemoServer, fault: str
) -> None:
    judge = judges("judge-model")
    demo_model.settings = DemoSettings(seed=7, faults={fault: 1.0})
    run = judged(written, judge, sample=1, versions=("alpha", "beta"))
    assert run.state == Run.State.FINISHED
    outcome = {"blank": "empty"}.get(fault, fault)
    rows = Counter(run.calls.values_list("state", "outcome", "repair"))
    assert rows == {("done", outcome, 0): 2, ("done", outcome, 1): 2, ("failed", outcome, 2): 2}
    assert not Judgement.objects.exists()
    found = judge_tables(findings_of(written))
    assert {row[3:] for row in found["calls"].rows} == {(1, 0, 1, 0)}
    assert "scores-1" not in found


def test_a_judge_that_declines_is_not_asked_again(written: Corpus, demo_model: DemoServer) -> None:
    judge = judges("judge-model")
    demo_model.settings = DemoSettings(seed=7, faults={"refused": 1.0})
    run = judged(written, judge, sample=1, versions=("alpha", "beta"))
    assert run.state == Run.State.FINISHED
    assert Counter(run.calls.values_list("state", "outcome", "repair")) == {("failed", "refused", 0): 2}
    assert "can't score a private conversation" in run.calls.first().error
    assert not Judgement.objects.exists()


def test_what_the_same_judge_has_said_is_counted_and_not_paid_for_again(
    written: Corpus, demo_model: DemoServer
) -> None:
    first = judges("first")
    judged(written, first, versions=("alpha", "beta"))
    before = demo_model.stats()["stages"]["judge"]
    assert before == 6
    both = [*first, *judges("second")]
    run = planned(written, both, repeats=2)
    assert run_plan.already_there(run).judgements == 6
    assert [row.calls for row in estimate(run)] == [12 * 2 - 6, 12 * 2]
    lifecycle.start(run)
    work(run)
    assert demo_model.stats()["stages"]["judge"] - before == 24 - 6 + 24
    assert progress_of(fetched(run)).sentence == "42 of 42 judgements"
    assert Judgement.objects.values(
        "dialogue", "call__run_stage__model", "call__sample", "metric"
    ).distinct().count() == (12 * 2 * 2 * 6)
    # Asked once more, there is nothing left to ask.
    nothing = judged(written, both, repeats=2)
    assert (nothing.state, nothing.calls.count()) == (Run.State.FINISHED, 0)
    # Another look at the text is another question; and asking again is possible.
    assert planned(written, first, tidy=False).calls.count() == 0
    assert run_plan.already_there(planned(written, first, tidy=False)).judgements == 0
    assert run_plan.already_there(planned(written, first, again=True)).judgements == 0


def test_the_preview_of_a_judge_run_is_what_is_sent(written: Corpus) -> None:
    run = planned(written, judges("judge-model"), versions=("stephanie",))
    (_, shown), *_ = preview(run)
    lifecycle.start(run)
    call = with_stages([run.calls.select_related("dialogue", "alpha").order_by("dialogue").first()])
    assert [request.messages for request in build(list(call))] == [shown.messages]


def test_an_endpoint_that_honours_a_schema_is_sent_the_rubrics(written: Corpus) -> None:
    judge = judges("judge-model")
    Endpoint.objects.filter(pk=judge[0].pk).update(structured_output="json_schema")
    judge[0].refresh_from_db()
    run = judged(written, judge, versions=("alpha",))
    (call, *_) = with_stages(list(run.calls.select_related("dialogue", "alpha")))
    (request,) = build([call])
    assert request.parameters["response_format"]["json_schema"]["schema"]["required"] == list(METRICS)
    assert call.request_sha256 == request.sha256
    assert Judgement.objects.count() == 3 * 6


def test_a_reply_that_a_mended_parser_can_read_becomes_a_judgement_for_nothing(
    written: Corpus, demo_model: DemoServer
) -> None:
    judge = judges("judge-model")
    demo_model.settings = DemoSettings(seed=7, faults={"reason_missing": 1.0})
    run = judged(written, judge, sample=1, versions=("alpha", "beta"))
    asked = demo_model.stats()["stages"]["judge"]
    assert rereading.reread(run) == 0
    # What a parser that is more lenient would make of it: the same reply, readable.
    answers = {metric: {"reason": "So it is.", "score": 64} for metric in METRICS}
    run.calls.filter(state=Call.State.FAILED).update(raw_reply=json.dumps(answers))
    assert rereading.reread(run) == 2
    assert set(Judgement.objects.values_list("score", "reason")) == {(64, "So it is.")}
    assert Judgement.objects.count() == 2 * 6
    assert demo_model.stats()["stages"]["judge"] == asked
    assert {row[3:] for row in judge_tables(findings_of(written))["calls"].rows} == {(1, 1, 0, 0)}


def test_a_failed_judgement_is_asked_again_and_counted_once(written: Corpus, demo_model: DemoServer) -> None:
    judge = judges("judge-model")
    demo_model.settings = DemoSettings(seed=7, faults={"score_missing": 1.0})
    run = judged(written, judge, sample=1, versions=("alpha", "beta"))
    demo_model.settings = DemoSettings(seed=7)
    assert retrying.retry(run) == 2
    work(run)
    assert Judgement.objects.count() == 2 * 6
    assert {row[3:] for row in judge_tables(findings_of(written))["calls"].rows} == {(1, 1, 0, 0)}
    found = findings_of(written)
    assert len(found.judges) == 1


def test_a_text_that_the_judge_reads_as_stored_is_not_tidied(written: Corpus) -> None:
    texts = []
    for tidy in (True, False):
        run = planned(written, judges(f"judge {tidy}"), versions=("alpha",), tidy=tidy)
        texts.append(preview(run)[0][1].messages[-1]["content"])
    assert "Hello there! 0" in texts[0]
    assert "hello there ! 0" in texts[1]


def test_a_theme_that_came_with_a_file_is_shown_with_every_version_of_it(demo_model: DemoServer) -> None:
    corpus = small_corpus(1)
    alpha = corpus.dialogues.get()
    given = {"theme": "A walk.", "traits_1": ["other"], "written_by": "m"}
    add_dialogue(corpus, "b", alpha.transcript, "beta", origin=alpha, parent=alpha, **given)
    endpoint_at(demo_model.base_url)
    started(corpus, Endpoint.objects.get(), stages=[Stage.THEME])
    run = planned(corpus, judges("judge-model"), versions=("alpha", "beta"))
    assert not RunDialogue.objects.filter(run=run, background__isnull=False).exists()
    lifecycle.start(run)
    calls = with_stages(list(run.calls.select_related("dialogue", "alpha")))
    blocks = {request.messages[-1]["content"].split("background>")[1] for request in build(calls)}
    assert blocks == {
        '\n{"theme": "A walk.", "Person A": ["I have a dog.", "I like hills."], "Person B": ["I work at night."]}\n</'
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"judges": []}, "Choose at least one judge"),
        ({"judges": ["first", "first again"]}, "first is chosen twice"),
        ({"versions": ()}, "at least one version"),
        ({"repeats": 0}, "1 to 20 times"),
        ({"repeats": 21}, "1 to 20 times"),
    ],
)
def test_a_choice_that_makes_no_run_is_refused_in_words(change: dict[str, Any], problem: str) -> None:
    corpus = small_corpus(1)
    endpoints = [
        Endpoint.objects.create(name=name, model="first", base_url=NOWHERE) for name in change.pop("judges", ["first"])
    ]
    planning_material()
    with pytest.raises(PlanError, match=problem):
        planned(corpus, endpoints, **change)


def test_a_corpus_without_themes_is_refused_with_what_to_do() -> None:
    corpus = small_corpus(2)
    planning_material()
    judge = Endpoint.objects.create(name="first", model="first", base_url=NOWHERE)
    with pytest.raises(PlanError, match=r"2 backgrounds have no theme.*Run the theme stage first"):
        planned(corpus, [judge], versions=("alpha",))
    with pytest.raises(PlanError, match="no dialogue of the chosen versions"):
        planned(corpus, [judge], versions=("gamma",))


def planning_material() -> None:
    example_sets.load_all()
