"""A small corpus with several writers, and judgements of it as rows: for tests of what is made of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from dialogues.models import Corpus, Dialogue, Rubric
from generation import example_sets
from generation.models import Background, Call, Endpoint, Judgement, Prompt, Run, RunStage, Stage
from tests.dialogues.rows import add_dialogue
from tests.generation.runs import NOWHERE

ALL = ("alpha", "beta", "gamma", "stephanie")
METRICS = ("interesting", "informative", "natural", "engaging", "on_topic", "on_persona")


def family(corpus: Corpus, number: int, writers: Mapping[str, Iterable[str]], **original: Any) -> dict[Any, Dialogue]:
    """An α and what each writer wrote from it, by (writer, version); themes came with the file."""
    alpha = row(corpus, f"d{number}", "alpha", number, **original)
    found: dict[Any, Dialogue] = {("", "alpha"): alpha}
    for writer, versions in writers.items():
        for version in versions:
            fields = {"origin": alpha, "parent": alpha, "written_by": writer, "theme": f"Theme {number}."}
            found[writer, version] = row(corpus, f"d{number}-{writer}-{version}", version, number, **fields)
    return found


def row(corpus: Corpus, key: str, version: str, number: int, **fields: Any) -> Dialogue:
    texts = [[1, f"hello , {number}"], [2, "hi there !"], [2, f"i am well , {number}"], [1, "good"], [2, "bye"]]
    return add_dialogue(corpus, key, texts, version, **fields)


def judge_run(corpus: Corpus, *models: str, name: str = "Judging", **fields: Any) -> Run:
    """A run row with a stage row a judge; no dialogues chosen and nothing sent."""
    example_sets.load_all()
    prompt = Prompt.objects.get(stage=Stage.JUDGE)
    fields = {"rubric": Rubric.objects.get(slug="paper-six"), **fields}
    run: Run = Run.objects.create(name=name, corpus=corpus, stages=[Stage.JUDGE], **fields)
    for branch, model in enumerate(models):
        endpoint, _ = Endpoint.objects.get_or_create(name=model, defaults={"base_url": NOWHERE, "model": model})
        RunStage.objects.create(
            run=run, stage=Stage.JUDGE, branch=branch, endpoint=endpoint, model=model, prompt=prompt
        )
    return run


def call(run: Run, dialogue: Dialogue, branch: int = 0, sample: int = 0, **fields: Any) -> Call:
    stage = run.run_stages.get(stage=Stage.JUDGE, branch=branch)
    fields = {"state": Call.State.DONE, "outcome": "ok", **fields}
    made: Call = Call.objects.create(
        run=run, run_stage=stage, dialogue=dialogue, alpha_id=dialogue.origin_id or dialogue.pk, stage=Stage.JUDGE,
        sample=sample, not_before=timezone.now(), **fields,
    )  # fmt: skip
    return made


def judge(run: Run, dialogue: Dialogue, score: float, branch: int = 0, sample: int = 0) -> Call:
    """One judgement: the same score on every metric but for the metric's place."""
    made = call(run, dialogue, branch, sample)
    Judgement.objects.bulk_create(
        [
            Judgement(call=made, dialogue=dialogue, metric=metric, score=score + place, reason=f"Because of {place}.")
            for place, metric in enumerate(METRICS)
        ]
    )
    return made


def theme_of(run: Run, alpha: Dialogue, theme: str) -> Background:
    """A background that a writing run made of an α."""
    endpoint, _ = Endpoint.objects.get_or_create(name="writer", defaults={"base_url": NOWHERE, "model": "w"})
    stage, _ = RunStage.objects.get_or_create(
        run=run, stage=Stage.THEME,
        defaults={"endpoint": endpoint, "model": "w", "prompt": Prompt.objects.get(stage=Stage.THEME)},
    )  # fmt: skip
    made = Call.objects.create(
        run=run, run_stage=stage, dialogue=alpha, alpha=alpha, stage=Stage.THEME, state=Call.State.DONE, outcome="ok",
        not_before=timezone.now(),
    )  # fmt: skip
    background: Background = Background.objects.create(
        run=run, dialogue=alpha, call=made, theme=theme, traits_1=["I ski."], traits_2=["I bake."]
    )
    return background
