"""What a run has used never changes."""

import pytest

from generation import example_sets
from generation.engine.lifecycle import CannotStartError, start
from generation.models import Example, ExampleSet, FrozenError, Prompt, Stage
from generation.plans.choosing import Selection, chosen_dialogues
from tests.generation.runs import NOWHERE, draft, endpoint_at, fetched, small_corpus, started

pytestmark = pytest.mark.django_db


def test_a_started_run_freezes_what_it_uses_and_a_draft_does_not() -> None:
    corpus, endpoint = small_corpus(1), endpoint_at(NOWHERE)
    draft(corpus, endpoint)
    assert not Prompt.objects.filter(frozen_at__isnull=False).exists()
    started(corpus, endpoint)
    assert {prompt.stage for prompt in Prompt.objects.filter(frozen_at__isnull=True)} == {Stage.JUDGE}
    assert not ExampleSet.objects.filter(frozen_at__isnull=True).exists()


def test_a_run_does_not_start_on_a_prompt_of_which_no_request_can_be_made() -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE), stages=["theme"])
    run.run_stages.update(prompt=Prompt.objects.create(stage="theme", version=9, system="", user="{dialogue}"))
    with pytest.raises(CannotStartError, match=r"^Theme: the prompt lacks {traits}\. Discard the run"):
        start(fetched(run))
    assert not run.calls.exists()


def test_a_frozen_set_its_examples_and_prompts_refuse_every_change() -> None:
    started(small_corpus(1), endpoint_at(NOWHERE))
    for row in (ExampleSet.objects.first(), Example.objects.first(), Prompt.objects.first()):
        assert row is not None
        with pytest.raises(FrozenError):
            row.save()
        with pytest.raises(FrozenError):
            row.delete()
    with pytest.raises(FrozenError):
        Example(example_set=ExampleSet.objects.first(), position=9, messages=[[1, "x"]]).save()


def test_an_example_cannot_be_moved_out_of_a_frozen_set() -> None:
    started(small_corpus(1), endpoint_at(NOWHERE))
    example = Example.objects.first()
    assert example is not None
    example.example_set = ExampleSet.objects.create(name="Another", kind="single_step")
    with pytest.raises(FrozenError):
        example.save()


def test_loading_again_adds_nothing_and_a_change_adds_a_version() -> None:
    assert len(example_sets.load_all()) == 7
    assert example_sets.load_all() == []
    prompt = Prompt.objects.get(stage="theme")
    prompt.user += " Please."
    prompt.save()
    assert example_sets.load_all() == ["Theme v2"]


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    corpus = small_corpus(30)
    samples = [chosen_dialogues(corpus, Selection(5), seed) for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert len(chosen_dialogues(corpus, Selection(), 1)) == 30
