"""Further-split alone, on dialogues that are there already."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from dialogues.models import Dialogue
from generation import example_sets
from generation.engine import lifecycle
from generation.models import Call, Endpoint, ExampleSet, Output, Prompt, Run
from generation.plans.branches import split_run
from generation.plans.estimating import estimate, preview
from generation.plans.run_plan import PlanError
from generation.watching import journeys
from tests.demo_server import DemoServer
from tests.dialogues.rows import add_dialogue
from tests.generation.runs import endpoint_at, fetched, small_corpus, work
from tests.generation.trials import gammas
from tests.generation.written_runs import GAMMA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(demo_model: DemoServer) -> Endpoint:
    example_sets.load_all()
    return endpoint_at(demo_model.base_url)


def ran(run: Run) -> Run:
    lifecycle.start(run)
    work(run)
    return fetched(run)


def test_gammas_that_are_there_are_split_and_lead_back_to_their_gamma_and_alpha(endpoint: Endpoint) -> None:
    given = gammas(small_corpus(2))
    run = ran(split_run(dialogues=given, endpoint=endpoint, name="Split these"))
    assert run.state == Run.State.FINISHED
    outputs = list(Output.objects.select_related("dialogue", "call"))
    assert {output.dialogue.parent_id for output in outputs} == {gamma.pk for gamma in given}
    assert {output.dialogue.origin_id for output in outputs} == {gamma.origin_id for gamma in given}
    assert {(output.dialogue.version_id, output.dialogue.theme) for output in outputs} == {("stephanie", "A walk.")}
    assert all(output.kept is not None for output in outputs)
    assert {call.stage for call in Call.objects.all()} == {"further_split"}


def test_two_gammas_of_one_alpha_are_two_journeys(endpoint: Endpoint, researcher: Client) -> None:
    first, second = gammas(small_corpus(1), each=2)
    run = ran(split_run(dialogues=[first, second], endpoint=endpoint, name="Both"))
    assert Output.objects.values("dialogue__key").distinct().count() == 2
    ways = journeys.ways(run, list(journeys.chosen(run, state="done").select_related("dialogue")))
    assert [(way.alpha, way.calls) for way in ways] == [(first, 1), (second, 1)]
    for gamma in (first, second):
        written = Dialogue.objects.get(parent=gamma)
        page = researcher.get(reverse("generation:run_dialogue", args=[run.pk, gamma.pk])).content.decode()
        assert written.messages[-1][1] in page
        assert [call.dialogue_id for call in journeys.calls_of(run, gamma)] == [gamma.pk]
        call = Call.objects.get(dialogue=gamma)
        assert gamma.key in researcher.get(call.get_absolute_url()).content.decode()


def test_what_is_sent_is_known_exactly_before(endpoint: Endpoint) -> None:
    run = split_run(dialogues=gammas(small_corpus(2)), endpoint=endpoint, name="Split these")
    run = fetched(run)
    shown = [(request.messages, request.prompt_tokens) for _, request in preview(run)]
    assert json.dumps(GAMMA[0][1]) in shown[0][0][-1]["content"]
    assert [row.calls for row in estimate(run)] == [2]
    ran(run)
    call = Call.objects.order_by("dialogue").first()
    assert call is not None
    assert call.request_sha256 == preview(run)[0][1].sha256


def test_a_dialogue_without_an_original_is_its_own(endpoint: Endpoint) -> None:
    # Much to split: of a few short messages the demo model now and then splits none.
    wordy = [
        [speaker, f"hello again , it is {n} . i walked for hours . were you there ?"]
        for n in range(6)
        for speaker in (1, 2)
    ]
    alpha = add_dialogue(small_corpus(1), "wordy", wordy)
    ran(split_run(dialogues=[alpha], endpoint=endpoint, name="An original"))
    written = Dialogue.objects.get(output__isnull=False)
    assert (written.origin, written.parent) == (alpha, alpha)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"dialogues": []}, "at least one"),
        ({"example_set": "single_step"}, "no pairs"),
        ({"example_set": "empty"}, "empty"),
        ({"prompt": "pair"}, "not made for splitting"),
        ({"dialogues": "of two corpora"}, "several corpora"),
    ],
)
def test_what_cannot_be_split_is_refused_with_the_reason(
    endpoint: Endpoint, wrong: dict[str, object], words: str
) -> None:
    given = gammas(small_corpus(1))
    choice: dict[str, object] = {"dialogues": given, **wrong}
    if choice["dialogues"] == "of two corpora":
        choice["dialogues"] = given + gammas(small_corpus(1, "Another"))
    if choice.get("example_set") == "single_step":
        choice["example_set"] = ExampleSet.objects.get(kind="single_step")
    if choice.get("example_set") == "empty":
        choice["example_set"] = ExampleSet.objects.create(name="Empty", kind="further_split")
    if choice.get("prompt"):
        choice["prompt"] = Prompt.objects.get(stage="pair")
    with pytest.raises(PlanError, match=words):
        split_run(endpoint=endpoint, name="Wrong", **choice)  # type: ignore[arg-type]
    assert not Run.objects.exists()
