"""Planning a run in the browser: who writes what on which dialogues, and the look at it before it costs anything."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dialogues.models import Corpus
from generation import example_sets
from generation.models import Background, Call, Endpoint, Prompt, Run, Stage
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus
from tests.generation.written_runs import written_run

NEW = reverse("generation:run_new")
pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoints() -> tuple[Endpoint, Endpoint]:
    example_sets.load_all()
    return endpoint_at(NOWHERE, name="One", model="model-a"), endpoint_at(NOWHERE, name="Two", model="model-b")


def filled(client: Client, address: str = NEW, **changes: Any) -> dict[str, Any]:
    """What a browser would send: the form's own values, with changes; an unticked box is left out."""
    form = client.get(address).context["form"]
    values = {"name": "Planned", **{field.name: field.value() for field in form if field.value() is not None}}
    sent = {"corpus": Corpus.objects.latest("pk").pk, **values, **changes}
    return {name: value for name, value in sent.items() if value is not False}


def planned(client: Client, **changes: Any) -> Run:
    response = client.post(NEW, filled(client, **changes))
    assert response.status_code == 302, response.context["form"].errors
    return Run.objects.with_stages().latest("pk")


def test_several_writers_write_on_the_same_themes(researcher: Client, endpoints: Any) -> None:
    small_corpus(3)
    run = planned(researcher, writers=[one.pk for one in endpoints], splitter=endpoints[0].pk)
    rows = [(row.stage, row.branch, row.endpoint.name) for row in run.rows]
    assert rows == [
        ("theme", 0, "One"),
        *(("pair", 0, "One"), ("pair", 1, "Two")),
        *(("further_split", 0, "One"), ("further_split", 1, "One")),
    ]


def test_each_writer_splits_its_own_unless_told_otherwise(researcher: Client, endpoints: Any) -> None:
    small_corpus(1)
    run = planned(researcher, writers=[one.pk for one in endpoints])
    assert [row.endpoint.name for row in run.rows_of(Stage.FURTHER_SPLIT)] == ["One", "Two"]


@pytest.mark.parametrize(
    ("narrowing", "keys"),
    [
        ({"search": "long walk . 2"}, ["d2"]),
        ({"fewest_messages": 7}, None),
        ({"most_messages": 6}, ["d0", "d1", "d2", "d3"]),
        ({"sample": 2, "seed": 1}, 2),
        ({"without": "stephanie"}, ["d3"]),
        ({"without": "stephanie", "without_writer": "another-model"}, ["d0", "d1", "d2", "d3"]),
    ],
)
def test_dialogues_are_narrowed_by_words_size_sample_and_what_they_lack(
    researcher: Client, endpoints: Any, narrowing: dict[str, Any], keys: list[str] | int | None
) -> None:
    corpus = small_corpus(4)
    done = written_run(corpus, endpoints[0])
    done.corpus.dialogues.filter(version="stephanie", origin__key="d3").delete()
    if keys is None:
        response = researcher.post(NEW, filled(researcher, **narrowing))
        assert "No original dialogue of the corpus fits" in response.text
        return
    chosen = [row.dialogue.key for row in planned(researcher, **narrowing).chosen.order_by("dialogue_id")]
    assert (len(chosen) if isinstance(keys, int) else chosen) == keys


def test_themes_of_earlier_runs_are_taken_over_and_the_preview_says_so(researcher: Client, endpoints: Any) -> None:
    corpus = small_corpus(2)
    written_run(corpus, endpoints[0])
    run = planned(researcher, reuse_themes="on", temperature="")
    assert run.chosen.filter(background__in=Background.objects.all()).count() == 2
    assert "2 themes are there already" in researcher.get(run.get_absolute_url()).text
    # Asked with other settings, or elsewhere, the model would have written another theme.
    for other in ({"temperature": "1.4"}, {"max_tokens": "900"}, {"theme_endpoint": endpoints[1].pk}):
        run = planned(researcher, **{"reuse_themes": "on", "temperature": "", **other})
        assert not run.chosen.filter(background__isnull=False).exists(), other


def test_budgets_prompts_and_parameters_are_as_chosen(researcher: Client, endpoints: Any) -> None:
    small_corpus(1)
    other = Prompt.objects.create(stage="theme", version=9, user="{dialogue} {traits} Be brief.")
    run = planned(
        researcher, budget="2.5", token_budget="5000", temperature="", theme_prompt=other.pk, keep_share="0.7"
    )
    assert (str(run.budget), run.token_budget, run.keep_share) == ("2.5000", 5000, 0.7)
    assert run.rows[0].prompt == other
    assert "temperature" not in run.rows[0].parameters


def test_the_preview_shows_any_chosen_dialogue_by_name(researcher: Client, endpoints: Any) -> None:
    run = draft(small_corpus(3), endpoints[0])
    first = researcher.get(run.get_absolute_url())
    assert "i just came back from a long walk . 0" in first.text
    assert "i just came back from a long walk . 2" in researcher.get(run.get_absolute_url(), {"dialogue": "d2"}).text
    wrong = researcher.get(run.get_absolute_url(), {"dialogue": "<b>nobody"})
    assert "None of the chosen dialogues is called “&lt;b&gt;nobody”" in wrong.text
    assert not Call.objects.exists()


def test_a_plan_can_be_made_again_with_everything_that_was_entered(researcher: Client, endpoints: Any) -> None:
    small_corpus(4)
    run = planned(researcher, search="walk", sample=2, writers=[one.pk for one in endpoints], budget="3")
    again = filled(researcher, f"{NEW}?from={run.pk}")
    assert (again["search"], again["sample"], again["budget"]) == ("walk", "2", "3")
    assert again["writers"] == [str(one.pk) for one in endpoints]


def test_a_plan_of_somebody_else_is_made_again_from_the_run_itself(researcher: Client, endpoints: Any) -> None:
    run = draft(small_corpus(4), endpoints[1], seed=7, temperature=0.2, max_tokens=900)
    again = filled(researcher, f"{NEW}?from={run.pk}")
    assert (again["seed"], again["temperature"], again["max_tokens"]) == (7, 0.2, 900)
    assert (again["theme_endpoint"], again["writers"]) == (endpoints[1].pk, [endpoints[1].pk])


def test_a_double_click_makes_one_run_and_a_change_makes_another(researcher: Client, endpoints: Any) -> None:
    small_corpus(2)
    sent = filled(researcher)
    there = {researcher.post(NEW, sent)["Location"] for _ in range(2)}
    assert (len(there), Run.objects.count()) == (1, 1)
    # Gone back, changed and sent again from the same page.
    researcher.post(NEW, {**sent, "sample": 1})
    assert Run.objects.count() == 2


def test_batches_are_offered_where_an_endpoint_has_them(researcher: Client, endpoints: Any) -> None:
    small_corpus(1)
    assert "use_batch" not in researcher.get(NEW).context["form"].fields
    Endpoint.objects.filter(pk=endpoints[0].pk).update(supports_batch=True)
    run = planned(researcher, writers=[one.pk for one in endpoints], use_batch="on")
    assert [row.use_batch for row in run.rows] == [True, True, False, True, False]


def test_what_is_missing_is_named_at_its_field(researcher: Client, endpoints: Any) -> None:
    small_corpus(1)
    response = researcher.post(NEW, filled(researcher, writers=[], name=""))
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"name", "writers"}


def test_a_draft_whose_prompt_lacks_a_placeholder_says_so_and_offers_no_start(researcher: Client) -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE), stages=["theme"])
    run.run_stages.update(prompt=Prompt.objects.create(stage="theme", version=9, system="", user="{dialogue}"))
    page = researcher.get(run.get_absolute_url())
    html = page.content.decode()
    assert page.status_code == 200
    assert "Theme: the prompt lacks {traits}. Discard the run and plan it again with another prompt." in html
    assert reverse("generation:run_start", args=[run.pk]) not in html
    assert reverse("generation:run_discard", args=[run.pk]) in html
