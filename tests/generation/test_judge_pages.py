"""Planning a judge run and reading what judges said, in the browser and on the command line."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from core.models import Computation
from dialogues.models import Corpus, Dialogue, Rubric
from generation import example_sets
from generation.judgements import report
from generation.judgements.tasks import compute_judge_report
from generation.models import Call, Endpoint, Judgement, Prompt, Run, RunDialogue, Shutdown, Stage
from tests.commands import said_by
from tests.demo_server import DemoServer
from tests.generation.judged import ALL, call, family, judge, judge_run
from tests.generation.runs import NOWHERE, endpoint_at, work

NASTY = '<b>Bold</b> & "quoted" 🫠'


@pytest.fixture
def corpus(db: None) -> Corpus:
    made = Corpus.objects.create(name="Chats")
    for number in range(3):
        family(made, number, {"gpt-4": ALL[1:]})
    return made


def judged_corpus(corpus: Corpus, *models: str) -> Run:
    run = judge_run(corpus, *(models or ("wise-model",)))
    for place, dialogue in enumerate(corpus.dialogues.order_by("pk")):
        for branch in range(len(models or [1])):
            judge(run, dialogue, 60 + place, branch=branch)
    return run


def form(**changes: Any) -> dict[str, Any]:
    example_sets.load_all()
    endpoint, _ = Endpoint.objects.get_or_create(name="Judge", defaults={"base_url": NOWHERE, "model": "wise-model"})
    return {
        "name": "From the form", "judges": [endpoint.pk], "rubric": Rubric.objects.get(slug="paper-six").pk,
        "versions": list(ALL), "repeats": "2", "whole": "on", "tidy": "on", "seed": "5", "max_tokens": "900",
        "judge_prompt": Prompt.objects.get(stage=Stage.JUDGE).pk, **changes,
    }  # fmt: skip


def plan(researcher: Client, corpus: Corpus, **changes: Any) -> Any:
    return researcher.post(reverse("generation:judge_new") + f"?corpus={corpus.pk}", form(**changes), follow=True)


def test_a_judge_run_is_planned_from_the_form_and_previewed_word_for_word(researcher: Client, corpus: Corpus) -> None:
    page = plan(researcher, corpus, sample="2", temperature="0", budget="3", token_budget="90000")
    run = Run.objects.get()
    assert page.redirect_chain == [(run.get_absolute_url(), 302)]
    assert (run.repeats, run.tidy_display, run.judge_again, run.seed) == (2, True, False, 5)
    assert (run.dialogue_count, str(run.budget), run.token_budget) == (8, "3.0000", 90000)
    row = run.run_stages.get()
    assert row.parameters == {"max_tokens": 900, "temperature": 0.0}
    body = page.content.decode()
    assert "16 calls" in body
    assert "You are a careful reader" in body
    assert "2 times each" in body
    assert "spacing and capitals tidied" in body
    assert "keeps at least" not in body


def test_without_a_corpus_the_form_asks_which(researcher: Client, corpus: Corpus) -> None:
    form()
    body = researcher.get(reverse("generation:judge_new")).content.decode()
    assert "Chats" in body
    assert "Versions to judge" not in body
    assert (
        "Versions to judge" in researcher.get(reverse("generation:judge_new"), {"corpus": corpus.pk}).content.decode()
    )


def test_what_is_missing_is_asked_for_first(researcher: Client) -> None:
    assert "First, an endpoint" in researcher.get(reverse("generation:judge_new")).content.decode()
    Endpoint.objects.create(name="Judge", base_url=NOWHERE, model="m")
    assert "First, the judge’s prompt" in researcher.get(reverse("generation:judge_new")).content.decode()
    example_sets.load_all()
    assert "First, a corpus" in researcher.get(reverse("generation:judge_new")).content.decode()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"judges": []}, "This field is required"),
        ({"versions": ["nonsense"]}, "Select a valid choice"),
        ({"repeats": "21"}, "less than or equal to 20"),
        ({"judge_prompt": "0"}, "Select a valid choice"),
        ({"sample": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_form_that_makes_no_run_comes_back_with_the_reason(
    researcher: Client, corpus: Corpus, changes: dict[str, Any], problem: str
) -> None:
    page = plan(researcher, corpus, **changes)
    assert page.status_code == 422
    assert problem in page.content.decode()
    assert not Run.objects.exists()


def test_versions_that_no_background_has_together_are_refused_in_words(researcher: Client) -> None:
    corpus = Corpus.objects.create(name="Halves")
    family(corpus, 0, {"a": ["beta"]})
    family(corpus, 1, {"a": ["gamma"]})
    page = plan(researcher, corpus, versions=["beta", "gamma"])
    assert page.status_code == 422
    assert "None of the 2 backgrounds has all of the chosen versions" in page.content.decode()


def test_what_was_judged_before_is_told_before_anything_is_paid(researcher: Client, corpus: Corpus) -> None:
    run = judged_corpus(corpus)
    run.run_stages.update(parameters={"max_tokens": 900})
    RunDialogue.objects.bulk_create([RunDialogue(run=run, dialogue=row) for row in corpus.dialogues.all()])
    page = plan(researcher, corpus, judges=[run.endpoints[0].pk])
    assert "12 judgements by the same judge" in page.content.decode()
    assert "12 calls" in page.content.decode()


def test_the_report_shows_tables_and_their_files(researcher: Client, corpus: Corpus) -> None:
    judged_corpus(corpus)
    url = reverse("generation:judgements", args=[corpus.pk])
    body = researcher.get(url).content.decode()
    assert "12 dialogues, scored from 0 to 100 by 1 judge" in body
    assert "Show scores behind dashes" in body
    assert "paper" in body
    assert "Print dashes as the paper does" in researcher.get(url, {"dashes": "0"}).content.decode()
    table = researcher.get(reverse("generation:judgements_table", args=[corpus.pk, "scores-1", "csv"]))
    assert table.headers["Content-Disposition"] == 'attachment; filename="chats-judged-scores-1.csv"'
    assert "Interesting" in table.content.decode()
    latex = researcher.get(reverse("generation:judgements_table", args=[corpus.pk, "scores-1", "tex"]))
    assert r"\toprule" in latex.content.decode()
    unknown = researcher.get(reverse("generation:judgements_table", args=[corpus.pk, "scores-9", "csv"]))
    assert unknown.status_code == 404


def test_the_report_of_one_run_leaves_the_others_out(researcher: Client, corpus: Corpus) -> None:
    first = judged_corpus(corpus)
    second = judge_run(corpus, "other-model", name="Second")
    judge(second, corpus.dialogues.of_version("beta").first(), 80)
    url = reverse("generation:judgements", args=[corpus.pk])
    body = researcher.get(url, {"run": second.pk}).content.decode()
    assert "1 dialogue, scored from 0 to 100 by 1 judge in Second" in body
    assert "by wise-model" not in body
    both = researcher.get(url, {"run": [first.pk, second.pk]}).content.decode()
    assert "by wise-model" in both
    assert "by other-model" in both


@pytest.mark.parametrize("text", ["999999", "x", "٣", "-1", "9" * 40, "\x00"])
def test_a_run_that_is_not_there_makes_no_report(researcher: Client, corpus: Corpus, text: str) -> None:
    response = researcher.get(reverse("generation:judgements", args=[corpus.pk]), {"run": text})
    assert response.status_code == 404


def test_a_run_of_another_corpus_or_kind_makes_no_report(researcher: Client, corpus: Corpus) -> None:
    other = judge_run(Corpus.objects.create(name="Other"), "wise-model")
    assert researcher.get(reverse("generation:judgements", args=[corpus.pk]), {"run": other.pk}).status_code == 404


def test_nothing_judged_yet_says_what_to_do_and_failures_are_counted(researcher: Client, corpus: Corpus) -> None:
    url = reverse("generation:judgements", args=[corpus.pk])
    body = researcher.get(url).content.decode()
    assert "No judgement yet" in body
    assert "Judge this corpus" in body
    run = judge_run(corpus, "wise-model")
    call(run, corpus.dialogues.of_version("beta").first(), state=Call.State.FAILED, outcome="provider")
    body = researcher.get(url).content.decode()
    assert "their results are counted below" in body
    assert "Judgements asked for, and what came of them" in body


def test_names_from_anywhere_are_shown_as_text(researcher: Client) -> None:
    corpus = Corpus.objects.create(name=NASTY)
    family(corpus, 0, {f"{NASTY} writer": ["beta"]})
    run = judge_run(corpus, NASTY[:60], name=NASTY)
    for dialogue in corpus.dialogues.all():
        judge(run, dialogue, 50)
    Judgement.objects.update(reason=NASTY)
    beta = corpus.dialogues.of_version("beta").get()
    pages = [
        reverse("generation:judgements", args=[corpus.pk]), beta.get_absolute_url(), run.get_absolute_url(),
        run.calls.first().get_absolute_url(),  # type: ignore[union-attr]
    ]  # fmt: skip
    for url in pages:
        body = researcher.get(url).content.decode()
        assert "<b>Bold" not in body
        assert "&lt;b&gt;Bold" in body


def test_a_dialogues_page_shows_what_each_judge_said_and_why(researcher: Client, corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model")
    beta = corpus.dialogues.of_version("beta").order_by("pk")[0]
    judge(run, beta, 60)
    judge(run, beta, 70, sample=1)
    body = researcher.get(beta.get_absolute_url()).content.decode()
    assert "What judges said" in body
    assert "± 7.1, n = 2" in body
    assert "Because of 0." in body
    unjudged = corpus.dialogues.of_version("beta").order_by("pk")[1]
    assert "What judges said" not in researcher.get(unjudged.get_absolute_url()).content.decode()


def test_judgements_cost_a_dialogue_page_one_query_more_however_many_there_are(
    researcher: Client, corpus: Corpus
) -> None:
    beta = corpus.dialogues.of_version("beta").order_by("pk")[0]
    counts = []
    for sample in range(3):
        with CaptureQueriesContext(connection) as queries:
            researcher.get(beta.get_absolute_url())
        counts.append(len(queries))
        judge(judge_run(corpus, f"model {sample}"), beta, 60)
    assert len(set(counts)) == 1


def test_a_call_page_shows_scores_reasons_and_the_other_repeats(researcher: Client, corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model")
    beta = corpus.dialogues.of_version("beta").order_by("pk")[0]
    first, _ = judge(run, beta, 60), judge(run, beta, 71, sample=1)
    body = researcher.get(first.get_absolute_url()).content.decode()
    assert f"Judge of {beta.key}" in body
    assert "Because of 3." in body
    assert ">71</a>" in body
    assert "Nothing was stored" not in body
    failed = call(run, beta, sample=2, state=Call.State.FAILED, outcome="score_missing", error="natural has no score.")
    body = researcher.get(failed.get_absolute_url()).content.decode()
    assert "Nothing was stored from this call" in body
    assert "Natural has no score" in body


def test_a_rater_sees_no_judgements(rater: Client, corpus: Corpus) -> None:
    judged_corpus(corpus)
    for name in ("judgements", "judge_new"):
        args = [corpus.pk] if name == "judgements" else []
        assert rater.get(reverse(f"generation:{name}", args=args)).status_code == 403
    beta = Dialogue.objects.of_version("beta").first()
    assert beta is not None
    assert rater.get(beta.get_absolute_url()).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_judge_run_is_planned_and_sent_from_the_command_line(demo_model: DemoServer, corpus: Corpus) -> None:
    example_sets.load_all()
    endpoint_at(demo_model.base_url, name="One", model="one")
    endpoint_at(demo_model.base_url, name="Two", model="two")

    command = partial(said_by, "run", "judge")
    told = command("--corpus", "Chats", "--judge", "One", "--judge", "Two", "--versions", "beta", "stephanie",
                   "--backgrounds", "2", "--repeats", "2", "--writer", "gpt-4", "--seed", "3", "--json")  # fmt: skip
    run = Run.objects.with_stages().get(pk=told["run"])
    assert (told["state"], run.dialogue_count, run.model_names) == ("draft", 4, ["one", "two"])
    finished = command("--corpus", "Chats", "--judge", "One", "--start", "--json")
    assert (finished["state"], finished["done"]) == ("finished", 12)
    assert Judgement.objects.count() == 72
    work(run)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--judge", "Nobody"], "no endpoint named 'Nobody'"),
        (["--judge", "Judge", "--versions", "omega"], "The corpus has no version 'omega'. Available: "),
        (["--judge", "Judge", "--writer", "x"], "The corpus has no writer 'x'. Available: gpt-4"),
        (["--judge", "Judge", "--rubric", "x"], "There is no rubric 'x'"),
        (["--judge", "Judge", "--repeats", "0"], "1 to 20 times"),
    ],
)
def test_the_command_line_refuses_with_what_there_is(corpus: Corpus, arguments: list[str], problem: str) -> None:
    form()
    with pytest.raises(CommandError) as caught:
        call_command("run", "judge", "--corpus", "Chats", *arguments)
    assert problem in str(caught.value)
    assert not Run.objects.exists()


def test_a_budget_that_no_column_holds_is_refused_on_the_page(researcher: Client, corpus: Corpus) -> None:
    answer = plan(researcher, corpus, token_budget=str(10**30))
    assert answer.status_code == 422
    assert "token_budget" in answer.context["form"].errors


def test_what_many_judgements_say_is_left_to_a_worker(
    researcher: Client, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_corpus(corpus)
    monkeypatch.setattr(report, "A_JUDGEMENT", 1.0)
    page = reverse("generation:judgements", args=[corpus.pk])
    file = reverse("generation:judgements_table", args=[corpus.pk, "scores-1", "csv"])
    assert [researcher.get(address).status_code for address in (page, file)] == [202, 202]
    compute_judge_report(Computation.objects.get().pk)
    assert [researcher.get(address).status_code for address in (page, file)] == [200, 200]


def test_a_kept_report_is_of_these_judgements_and_calls(researcher: Client, corpus: Corpus) -> None:
    run = judged_corpus(corpus)
    page = reverse("generation:judgements", args=[corpus.pk])
    before = researcher.get(page).context["found"]
    one, other = run.calls.order_by("pk")[:2]
    for state, outcome in (("failed", "score_missing"), ("done", "ok")):
        Call.objects.filter(pk=one.pk).update(state=state, outcome=outcome)
        after = researcher.get(page).context["found"]
        assert (after == before) == (state == "done")
    judge(judge_run(corpus, "another", name="More"), other.dialogue, 10)
    assert "another" in researcher.get(page).text


def test_a_report_says_on_which_day_a_judges_model_will_be_gone(researcher: Client, corpus: Corpus) -> None:
    endpoint = judged_corpus(corpus).run_stages.get().endpoint
    assert endpoint is not None
    page = reverse("generation:judgements", args=[corpus.pk])
    assert "shuts" not in researcher.get(page).text
    Shutdown.objects.create(address=endpoint.base_url, model="other-model", day=date(2027, 1, 6), told_at=now())
    assert "shuts" not in researcher.get(page).text
    Shutdown.objects.create(address=endpoint.base_url, model="wise-model", day=date(2027, 1, 6), told_at=now())
    said = "The endpoint of judge wise-model announced that it shuts wise-model down on 6 January 2027."
    assert said in researcher.get(page).text
    table = researcher.get(reverse("generation:judgements_table", args=[corpus.pk, "scores-1", "tex"]))
    assert said in table.content.decode()
