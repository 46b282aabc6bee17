"""Parts of a run's page: its endpoints as they are just now, the baseline of its own β, and a judge run's quality."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generation.models import Call, Run, RunDialogue, Runner
from generation.watching.progress import progress_of
from tests.generation.judged import judge, judge_run
from tests.generation.runs import NOWHERE, endpoint_at, fetched, small_corpus
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db


def test_each_endpoint_tells_its_calls_its_limit_of_the_moment_and_its_refusals(researcher: Client) -> None:
    one = endpoint_at(NOWHERE, name="One", max_in_flight=32, in_flight_limit=12)
    run = written_run(small_corpus(2), one, endpoint_at(NOWHERE, name="Two"))
    sent = run.calls.filter(stage="pair", run_stage__branch=0).earliest("pk")
    Call.objects.filter(pk=sent.pk).update(state="sent", outcome="", owner="me", lease_until=timezone.now(), refusals=3)
    first, second = progress_of(fetched(run)).as_json()["endpoints"]
    assert (first["name"], first["in_flight"], first["limit"], first["refusals"]) == ("One", 1, 12, 3)
    assert first["words"].startswith("1 of 12 at once, lowered from 32 by rate limits")
    assert (second["in_flight"], second["limit"], second["refusals"]) == (0, 32, 0)
    assert "1 of 12 at once, lowered from 32 by rate limits" in researcher.get(run.get_absolute_url()).text


def test_a_run_makes_the_baseline_of_its_own_beta_and_no_other(researcher: Client) -> None:
    corpus = small_corpus(2)
    run = written_run(corpus, endpoint_at(NOWHERE))
    written_run(corpus, endpoint_at(NOWHERE, name="Two"), name="Another")
    assert "Cuts 2 β dialogues after every sentence" in researcher.get(run.get_absolute_url()).text
    url = reverse("generation:run_baseline", args=[run.pk])
    assert "2 punctuation splits of β made, without a model." in researcher.post(url, follow=True).text
    assert "nothing was made" in researcher.post(url, follow=True).text
    made = corpus.dialogues.of_version("punctuation")
    assert {one.parent.output.call.run for one in made} == {run}


def test_a_judge_runs_quality_counts_replies_and_measures_no_text(researcher: Client) -> None:
    corpus = small_corpus(2)
    written_run(corpus, endpoint_at(NOWHERE))
    run = judge_run(corpus, "judge-a")
    for dialogue in corpus.dialogues.all():
        RunDialogue.objects.create(run=run, dialogue=dialogue)
        judge(run, dialogue, 50)
    page = researcher.get(reverse("generation:run_quality", args=[run.pk]))
    assert [row["table"].slug for row in page.context["tables"]] == ["outcomes"]
    assert page.context["tables"][0]["table"].rows[0][2] == corpus.dialogues.count()


def test_answers_that_wait_to_be_stored_are_not_told_as_calls_on_the_wire(researcher: Client) -> None:
    one = endpoint_at(NOWHERE, name="One", max_in_flight=16)
    run = written_run(small_corpus(20), one)
    sent = list(run.calls.filter(stage="further_split").values_list("pk", flat=True))
    Call.objects.filter(pk__in=sent).update(state="sent", outcome="", owner="me", lease_until=timezone.now())
    Run.objects.update(state="running")

    def told() -> tuple[int, int, str]:
        row = progress_of(fetched(run)).as_json()
        (endpoint,) = row["endpoints"]
        assert (row["in_flight"], row["to_store"]) == (endpoint["in_flight"], endpoint["to_store"])
        return endpoint["in_flight"], endpoint["to_store"], endpoint["words"]

    assert told() == (20, 0, "20 of 16 at once")  # nobody says more than the ledger does
    Runner.beat("me", timezone.now())
    Runner.report("me", {str(one.pk): {str(run.pk): [16, 4], "0": [5, 5]}})
    assert told() == (16, 4, "16 of 16 at once, 4 answers waiting to be stored")
    page = researcher.get(run.get_absolute_url()).text
    assert "16 of 16 at once, 4 answers waiting to be stored" in page
    # A report that is a moment old says no more than the ledger has.
    Call.objects.filter(pk__in=sent[3:]).update(state="done", outcome="ok", owner="")
    assert told()[:2] == (3, 0)
