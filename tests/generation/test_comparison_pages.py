"""Several models on the same backgrounds: one table of figures, and one background's dialogues side by side."""

import pytest
from django.test import Client
from django.urls import reverse

from dialogues.baseline import split_all
from dialogues.models import Dialogue
from generation.models import Run
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus
from tests.generation.written_runs import written_run

FIGURES, BESIDE = reverse("generation:compare"), reverse("generation:compare_dialogues")
pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    first = endpoint_at(NOWHERE, name="One", model="model-a")
    return written_run(small_corpus(3), first, endpoint_at(NOWHERE, name="Two", model="model-b"))


def test_before_anything_is_written_the_page_says_what_to_do(researcher: Client) -> None:
    draft(small_corpus(1), endpoint_at(NOWHERE))
    body = researcher.get(FIGURES).text
    assert "No run has written anything yet" in body


def test_runs_can_be_chosen(researcher: Client, run: Run) -> None:
    body = researcher.get(FIGURES).text
    assert f'name="runs" value="{run.pk}"' in body
    assert "model-a, model-b" in body


def test_the_writers_of_a_run_stand_in_one_table_beside_the_paper(researcher: Client, run: Run) -> None:
    page = researcher.get(FIGURES, {"runs": run.pk})
    assert "2 writers" in page.text
    (lengths, *_) = page.context["tables"]
    assert [row[1] for row in lengths["table"].rows] == ["the corpus", *("model-a", "model-b") * 3]
    assert researcher.get(lengths["files"]["csv"]).text.startswith("Version,Model,Dialogues")
    assert r"\begin{table}" in researcher.get(lengths["files"]["tex"]).text


def test_two_runs_of_one_corpus_are_compared_and_of_two_corpora_are_not(researcher: Client, run: Run) -> None:
    again = written_run(run.corpus, run.run_stages.first().endpoint, name="Again")
    assert "3 writers" in researcher.get(FIGURES, {"runs": f"{run.pk},{again.pk}"}).text
    assert "3 writers" in researcher.get(FIGURES, {"runs": [run.pk, again.pk]}).text
    elsewhere = written_run(small_corpus(1, "Other"), run.run_stages.first().endpoint)
    body = researcher.get(FIGURES, {"runs": f"{run.pk},{elsewhere.pk}"}).text
    assert "Choose runs of one corpus" in body


@pytest.mark.parametrize("asked", ["", "0", "-1", "x", "1e9", "99999999999999999999", "٣", "1;drop"])
def test_any_text_may_stand_where_the_runs_should(researcher: Client, run: Run, asked: str) -> None:
    for url in (FIGURES, BESIDE):
        assert researcher.get(url, {"runs": asked, "at": asked}).status_code == 200


def test_shared_backgrounds_only_is_a_switch(researcher: Client, run: Run) -> None:
    Dialogue.objects.filter(version="stephanie").latest("pk").delete()
    page = researcher.get(FIGURES, {"runs": run.pk, "backgrounds": "shared"})
    assert {row[2] for row in page.context["tables"][0]["table"].rows} == {2}


def test_one_background_shows_every_version_by_every_model_and_the_original(researcher: Client, run: Run) -> None:
    split_all(run.corpus)
    page = researcher.get(BESIDE, {"runs": run.pk})
    assert page.text.count('<ol class="bubbles') == 1 + 4 * 2
    assert [group["label"] for group in page.context["groups"]] == ["β", "γ", "Stephanie", "β-split"]
    by_model = researcher.get(BESIDE, {"runs": run.pk, "by": "model"})
    assert [group["label"] for group in by_model.context["groups"]] == ["model-a", "model-b"]


def test_backgrounds_are_leafed_through_in_order(researcher: Client, run: Run) -> None:
    seen = []
    at: int | None = None
    while True:
        page = researcher.get(BESIDE, {"runs": run.pk, **({"at": at} if at else {})})
        seen.append(page.context["alpha"].key)
        at = page.context["found"].next
        if at is None:
            break
    assert seen == ["d0", "d1", "d2"]
    assert page.context["found"].previous == Dialogue.objects.get(key="d1").pk


def test_what_a_model_did_not_write_is_a_gap_with_its_reason(researcher: Client, run: Run) -> None:
    call = run.calls.filter(stage="further_split", run_stage__branch=1).earliest("pk")
    call.outputs.get().dialogue.delete()
    run.calls.filter(pk=call.pk).update(state="failed", outcome="invented_content")
    body = researcher.get(BESIDE, {"runs": run.pk, "at": call.alpha_id}).text
    assert "Failed: invented content." in body


def test_a_background_of_no_chosen_run_is_not_there(researcher: Client, run: Run) -> None:
    stranger = small_corpus(1, "Other").dialogues.get()
    assert researcher.get(BESIDE, {"runs": run.pk, "at": stranger.pk}).status_code == 404
