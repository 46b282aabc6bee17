"""One version that few backgrounds have empties nothing: not a judge's plan, a study's items or a comparison."""

from io import StringIO
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.design import launch
from annotation.design.document import read
from annotation.design.files import exported, make_from
from annotation.design.methods import methods_text
from annotation.design.selection import select as select_items
from annotation.models import Study
from core.json_documents import DocumentError
from dialogues.forms import SourceFields
from dialogues.models import Corpus, Dialogue
from dialogues.sources import ANY, FACETS
from generation import example_sets
from generation.judgements import judge_input
from generation.models import Endpoint, Prompt, Run, Stage
from generation.plans.run_plan import PlanError
from generation.results.run_quality import quality_of
from tests.annotation import handed_in, setting
from tests.generation.runs import NOWHERE
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db
BACKGROUNDS = 6
USUAL = ["alpha", "beta", "gamma", "stephanie"]


@pytest.fixture
def corpus() -> Corpus:
    """Six backgrounds with four versions, and one γ restructured by hand and approved."""
    made = setting.corpus(BACKGROUNDS)
    gamma = Dialogue.objects.get(key="d0-gamma")
    handed_in.approved(gamma, setting.user("ann"), setting.user("rey", "researcher"))
    example_sets.load_all()
    return made


@pytest.fixture
def judge() -> Endpoint:
    made: Endpoint = Endpoint.objects.create(name="Judge", base_url=NOWHERE, model="judge")
    return made


def chosen(run: Run) -> int:
    return Dialogue.objects.filter(chosen_by__run=run).count()


def plan(corpus: Corpus, **fields: Any) -> Run:
    return judge_input.create({"corpus": corpus.name, "judges": ["Judge"], **fields})


def test_a_judge_still_reads_every_version_on_all_backgrounds(corpus: Corpus, judge: Endpoint) -> None:
    assert chosen(plan(corpus)) == len(USUAL) * BACKGROUNDS
    assert chosen(plan(corpus, versions=["gamma", "restructured"])) == 2
    out = StringIO()
    call_command("run", "judge", "--corpus", "Chats", "--judge", "Judge", stdout=out)
    assert "Left out, because few backgrounds have it: By hand: 1 of 6 backgrounds." in out.getvalue()


def test_a_script_is_told_what_was_left_out(researcher: Client, corpus: Corpus, judge: Endpoint) -> None:
    asked = {"corpus": "Chats", "judges": ["Judge"]}
    made = researcher.post("/api/judge-runs/", asked, content_type="application/json").json()
    assert (made["dialogue_count"], made["left_out"]) == (24, ["By hand: 1 of 6 backgrounds"])
    named_ones = {**asked, "versions": ["gamma", "restructured"]}
    made = researcher.post("/api/judge-runs/", named_ones, content_type="application/json").json()
    assert (made["dialogue_count"], made["left_out"]) == (2, [])


def test_the_judging_page_ticks_what_covers_many_and_names_what_the_rest_costs(
    researcher: Client, corpus: Corpus, judge: Endpoint
) -> None:
    page = researcher.get(reverse("generation:judge_new"), {"corpus": corpus.pk})
    assert page.context["form"]["versions"].value() == USUAL
    assert "Restructured by hand: 1 of 6 backgrounds: no more than these can be compared" in page.text
    assert "6 of 6 backgrounds" in page.text


def test_a_writer_of_one_background_takes_nothing_from_a_judges_plan(corpus: Corpus, judge: Endpoint) -> None:
    alpha = Dialogue.objects.get(key="d3")
    setting.dialogue(corpus, "once", "beta", "tried", origin=alpha, parent=alpha, written_by="tried-once")
    assert chosen(plan(corpus)) == len(USUAL) * BACKGROUNDS
    assert chosen(plan(corpus, versions=["beta"], writers=["tried-once"])) == 1


def test_a_new_study_begins_with_what_covers_many(researcher: Client, corpus: Corpus) -> None:
    answer = researcher.post(
        f"{reverse('study_new')}?corpus={corpus.pk}", {"name": "Ours", "public_name": "Dialogues", "kind": "scores"}
    )
    study = Study.objects.get(name="Ours")
    assert [version.pk for version in study.versions.all()] == USUAL
    assert len(select_items(study).choices) == BACKGROUNDS
    page = researcher.get(answer["Location"]).text
    assert "1 of 6 backgrounds: no more than these can be compared" in page


def test_what_a_writer_wrote_on_few_backgrounds_leaves_a_comparison_as_it_is(corpus: Corpus, judge: Endpoint) -> None:
    run = written_run(corpus, judge, Endpoint.objects.create(name="Two", base_url="http://127.0.0.1:9", model="two"))
    lost = Dialogue.objects.filter(output__call__run=run, version="stephanie", written_by="two").order_by("pk")
    Dialogue.objects.filter(pk__in=list(lost.values_list("pk", flat=True))[2:]).delete()
    found = quality_of([run], shared_only=True)
    assert {row.dialogues for row in found.written} == {BACKGROUNDS}
    assert len(found.written) == 6
    assert found.left_out == ("Stephanie by two, 2 of 6 backgrounds",)


@pytest.fixture
def runs(corpus: Corpus) -> tuple[Run, Run]:
    """Two runs of one model on all backgrounds, beside what came with the file."""
    writer = Endpoint.objects.create(name="Writer", base_url=NOWHERE, model="gpt-4")
    return written_run(corpus, writer, name="First"), written_run(corpus, writer, name="Second")


def of_run(run: Run) -> set[int]:
    return set(Dialogue.objects.filter(output__call__run=run).values_list("pk", flat=True))


def test_a_runs_page_leads_to_its_own_dialogues(researcher: Client, runs: tuple[Run, Run], judge: Endpoint) -> None:
    run = runs[0]
    page = researcher.get(run.get_absolute_url()).text
    for address in (
        f"{reverse('study_new')}?corpus={run.corpus_id}&amp;run={run.pk}",
        f"{reverse('generation:judge_new')}?corpus={run.corpus_id}&amp;run={run.pk}",
        f"{reverse('dialogues:statistics', args=[run.corpus_id])}?run={run.pk}",
        f'href="{reverse("generation:run_dialogues", args=[run.pk])}">See the dialogues',
    ):
        assert address in page
    listed = researcher.get(run.corpus.get_absolute_url(), {"run": run.pk, "version": "beta"})
    assert {row.pk for row in listed.context["page"]} == {
        row.pk for row in Dialogue.objects.filter(output__call__run=run, version="beta")
    }


def test_a_study_of_a_run_rates_that_run(researcher: Client, runs: tuple[Run, Run]) -> None:
    first = runs[0]
    asked = f"{reverse('study_new')}?corpus={first.corpus_id}&run={first.pk}"
    assert f"run First (no. {first.pk})" in researcher.get(asked).text
    researcher.post(asked, {"name": "Ours", "public_name": "Dialogues", "kind": "scores"})
    study = Study.objects.get(name="Ours")
    assert study.sources == {"run": [first.pk]}
    choices = select_items(study).choices
    rated = {pk for choice in choices for slug, pk in choice.dialogues.items() if slug != "alpha"}
    assert rated == of_run(first)
    step = reverse("study_step", args=[study.pk, "items"])
    page = researcher.get(step)
    assert page.context["form"]["run"].value() == [str(first.pk)]
    posted = {
        "corpus": first.corpus_id, "versions": ["beta", "gamma"], "seed": 3, "run": [runs[1].pk],
        "seen": page.context["form"]["seen"].value(),
    }  # fmt: skip
    assert researcher.post(step, posted).status_code == 302
    study = Study.objects.get(name="Ours")
    assert study.sources == {"run": [runs[1].pk]}
    rated = {pk for choice in select_items(study).choices for pk in choice.dialogues.values()}
    assert rated < of_run(runs[1])
    # The page was opened before that change.
    assert researcher.post(step, {**posted, "run": [first.pk]}).status_code == 409


def test_a_design_leaves_and_comes_back_with_its_run(runs: tuple[Run, Run]) -> None:
    study = setting.draft(of=runs[0].corpus, versions=("beta", "gamma"), sources={"run": [runs[0].pk]})
    text = exported(study)
    study.name = "Moved away"
    study.save()
    again = make_from(read(text.encode()), by=None)
    assert again.sources == {"run": [runs[0].pk]}
    assert f"Generated versions come from run First (no. {runs[0].pk})" in methods_text(
        launch.launch(study=again, by=None)
    )
    for sources, problem in (
        ('{"run": [999999]}', "no run 999999"), ('{"moon": [1]}', "selected by 'moon'"),
        ('{"run": 1}', "sources must"),
    ):  # fmt: skip
        broken = text.replace(f'"sources": {{\n    "run": [\n      {runs[0].pk}\n    ]\n  }}', f'"sources": {sources}')
        assert broken != text
        with pytest.raises(DocumentError, match=problem):
            make_from(read(broken.encode()), by=None)


def test_a_study_of_pairs_names_what_a_pair_costs(researcher: Client, corpus: Corpus) -> None:
    study = setting.draft(of=corpus, kind="pairs", pairs=[["beta", "gamma"]])
    page = researcher.get(reverse("study_step", args=[study.pk, "items"]))
    labels = dict(page.context["form"].fields["pairs"].choices)
    assert labels["gamma:restructured"] == "γ beside By hand: 1 of 6 backgrounds"
    assert labels["beta:gamma"] == "β beside γ"


def test_a_study_from_the_command_line_takes_one_run(runs: tuple[Run, Run]) -> None:
    asked = ["create_study", "--corpus", runs[0].corpus.name, "--versions", "beta", "gamma", "--draft"]
    call_command(*asked, "--name", "Ours", "--run", str(runs[0].pk), "--writer", "gpt-4", stdout=StringIO())
    study = Study.objects.get(name="Ours")
    assert (study.sources, study.writer) == ({"run": [runs[0].pk]}, "gpt-4")
    assert {pk for choice in select_items(study).choices for pk in choice.dialogues.values()} < of_run(runs[0])
    with pytest.raises(CommandError, match="no run 999999"):
        call_command(*asked, "--name", "Other", "--run", "999999", stdout=StringIO())


def test_a_judge_run_of_a_run_reads_that_run(researcher: Client, runs: tuple[Run, Run], judge: Endpoint) -> None:
    first = runs[0]
    page = researcher.get(reverse("generation:judge_new"), {"corpus": first.corpus_id, "run": first.pk})
    form = page.context["form"]
    assert (form["run"].value(), form["versions"].value()) == ([str(first.pk)], USUAL)
    for fields in ({"runs": [first.pk]}, {"sets": [first.sets_used[0].pk], "runs": [first.pk]}):
        run = plan(first.corpus, **fields)
        read_ = set(Dialogue.objects.filter(chosen_by__run=run, origin__isnull=False).values_list("pk", flat=True))
        assert read_ <= of_run(first)
        assert len(read_) >= 2 * BACKGROUNDS
    with pytest.raises(PlanError, match="The corpus has no run 999999") as refused:
        plan(first.corpus, runs=[999999])
    assert refused.value.field == "runs"


def test_the_judges_prompt_is_chosen_beside_the_prompts_that_wrote(
    researcher: Client, runs: tuple[Run, Run], judge: Endpoint
) -> None:
    older = Prompt.objects.get(stage=Stage.JUDGE)
    newer = Prompt.objects.create(stage=Stage.JUDGE, version=2, system=older.system, user=older.user)
    wrote = runs[0].prompts_used[-1]
    address = reverse("generation:judge_new") + f"?corpus={runs[0].corpus_id}"
    form = researcher.get(address).context["form"]
    assert form.initial["judge_prompt"] == newer
    assert str(wrote.pk) in dict(form.fields["prompt"].choices)
    fields = {name: form[name].value() for name in ("name", "versions", "repeats", "seed", "max_tokens")}
    asked = {**fields, "rubric": form.initial["rubric"].pk, "judges": judge.pk, "judge_prompt": older.pk}
    researcher.post(address, {**asked, "prompt": wrote.pk})
    assert Run.objects.get(stages=[Stage.JUDGE]).prompts_used == [older]


def test_a_form_does_not_lose_a_field_of_its_own_to_the_choice_of_dialogues(corpus: Corpus) -> None:
    class Clash(SourceFields):
        run = forms.CharField()

    with pytest.raises(ValueError, match="field 'run' of its own"):
        Clash().offer_sources(corpus, ANY)


def test_example_sets_to_choose_by_are_told_apart_by_their_kind(runs: tuple[Run, Run]) -> None:
    labels = [label for _, label in FACETS["set"].choices(runs[0].corpus)]
    assert len({label.split(": ")[0] for label in labels}) == len(labels) == 3
