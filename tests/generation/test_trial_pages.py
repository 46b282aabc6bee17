"""The pages that try a set or a wording, and those that show what came of it."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.people.home import counts
from dialogues.models import Corpus
from generation import example_sets
from generation.models import Call, Endpoint, ExampleKind, ExampleSet, Prompt, Run, Stage, Trial
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, work
from tests.generation.trials import asked, draft_set, fetched, gammas, tried, wording

pytestmark = pytest.mark.django_db(transaction=True)
NASTY = '<b>&" \N{PARROT}'


@pytest.fixture
def endpoint(demo_model: DemoServer) -> Endpoint:
    example_sets.load_all()
    return endpoint_at(demo_model.base_url, price_in=Decimal(2), price_out=Decimal(8))


def address(draft: ExampleSet) -> str:
    return reverse("generation:try_set", args=[draft.pk])


def filled(client: Client, where: str, **changes: Any) -> dict[str, Any]:
    """The form as it comes, with these changes, as a browser would send it."""
    form = client.get(where).context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent["corpus"] = getattr(sent["corpus"], "pk", sent["corpus"])
    sent["endpoint"] = sent["endpoint"] or Endpoint.objects.get().pk
    return {name: value for name, value in {**sent, **changes}.items() if value is not None and value is not False}


def test_from_the_form_to_the_price_before_anything_is_sent(researcher: Client, endpoint: Endpoint) -> None:
    given, draft = gammas(small_corpus(7)), draft_set()
    form = researcher.get(address(draft)).context["form"]
    assert form["dialogues"].value() == [str(row.pk) for row in given[:5]]
    sent = filled(researcher, address(draft), dialogues=[given[0].pk, given[6].pk])
    page = researcher.post(address(draft), sent, follow=True)
    text = page.content.decode()
    assert "Nothing has been sent." in text
    assert "Start trial" in text
    assert "2 calls" not in text  # two dialogues, two sides
    assert "4 calls" in text
    assert "A quokka." in text
    assert not Call.objects.exists()
    trial = Trial.objects.get()
    assert page.redirect_chain[-1][0] == trial.get_absolute_url()
    # The next form begins with what was chosen last.
    assert researcher.get(address(draft)).context["form"]["dialogues"].value() == [
        str(given[0].pk), str(given[6].pk)
    ]  # fmt: skip


def test_a_double_click_makes_one_trial(researcher: Client, endpoint: Endpoint) -> None:
    gammas(small_corpus(1))
    draft = draft_set()
    sent = filled(researcher, address(draft))
    answers = [researcher.post(address(draft), sent) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Trial.objects.count() == 1
    start = reverse("generation:trial_start", args=[Trial.objects.get().pk])
    assert [researcher.post(start).status_code for _ in range(2)] == [302, 302]
    assert Call.objects.count() == 2


def test_looking_for_other_dialogues_keeps_what_was_typed(researcher: Client, endpoint: Endpoint) -> None:
    gammas(small_corpus(3))
    other = gammas(small_corpus(2, "Another"))
    draft = draft_set()
    sent = filled(
        researcher, address(draft), corpus=other[0].corpus_id, user="My own {pairs} {dialogue}", look="1", search=""
    )
    page = researcher.post(address(draft), sent)
    assert page.status_code == 200
    form = page.context["form"]
    assert form["dialogues"].value() == [str(row.pk) for row in other]
    assert form["user"].value() == "My own {pairs} {dialogue}"
    assert form["once"].value() == sent["once"]
    found = researcher.post(address(draft), {**sent, "search": "that was 0, d1", "dialogues": []})
    assert form.shown_corpus == other[0].corpus
    assert len(found.context["form"].fields["dialogues"].choices) == 1
    assert not Trial.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dialogues": []}, "This field is required"),
        ({"user": "No placeholder"}, "the prompt lacks"),
        ({"user": ""}, "The user message is empty"),
        ({"dialogues": ["999999"]}, "not one of the available choices"),
        ({"budget": "-1"}, "greater than or equal to"),
    ],
)
def test_a_wrong_form_is_answered_with_what_to_do(
    researcher: Client, endpoint: Endpoint, changes: dict[str, Any], words: str
) -> None:
    gammas(small_corpus(1))
    draft = draft_set()
    page = researcher.post(address(draft), filled(researcher, address(draft), **changes))
    assert page.status_code == 422
    assert words in page.content.decode()
    assert not Trial.objects.exists()
    assert not Prompt.objects.filter(is_trial=True).exists()


def test_six_dialogues_are_too_many(researcher: Client, endpoint: Endpoint) -> None:
    given, draft = gammas(small_corpus(6)), draft_set()
    sent = filled(researcher, address(draft), dialogues=[row.pk for row in given])
    page = researcher.post(address(draft), sent)
    assert page.status_code == 422
    assert "Choose one to 5 dialogues" in page.content.decode()


def test_results_lead_to_call_prompt_and_set(researcher: Client, endpoint: Endpoint) -> None:
    draft = draft_set(name=NASTY)
    trial = tried(endpoint, gammas(small_corpus(2)), example_set=draft)
    text = researcher.get(trial.get_absolute_url()).content.decode()
    assert "4 of 4 answers" in text
    assert NASTY not in text
    for call in Call.objects.select_related("run_stage__prompt"):
        assert call.get_absolute_url() in text
        assert call.run_stage.prompt.get_absolute_url() in researcher.get(call.get_absolute_url()).content.decode()
        assert "demo rules" in text
    assert draft.snapshots.get().get_absolute_url() in text
    run = trial.own_run
    assert run is not None
    page = researcher.get(run.get_absolute_url()).content.decode()
    assert "belongs to a trial" in page
    assert "Have them rated" not in page
    for name in ("run_dialogues", "run_calls", "run_quality"):
        assert researcher.get(reverse(f"generation:{name}", args=[run.pk])).status_code == 200
    # With two branches it is compared by its own page only.
    for subject in trial.subjects.all():
        there = reverse("generation:run_dialogue", args=[run.pk, subject.dialogue_id])
        assert researcher.get(there).status_code == 200


def test_a_page_that_watches_is_told_what_is_new_and_no_more(researcher: Client, endpoint: Endpoint) -> None:
    trial = asked(endpoint, gammas(small_corpus(1)), example_set=draft_set())
    there, asks = trial.get_absolute_url(), {"HX-Request": "true"}
    page = researcher.get(there)
    assert "every 2s" in page.content.decode()
    mark = page.context["mark"]
    assert researcher.get(there, {"seen": mark}, headers=asks).status_code == 204
    part = researcher.get(there, {"seen": "older"}, headers=asks).content.decode()
    assert 'id="trial-results"' in part
    assert "<html" not in part
    assert trial.own_run is not None
    work(trial.own_run)
    assert researcher.get(there, {"seen": mark}, headers=asks)["HX-Refresh"] == "true"
    assert "every 2s" not in researcher.get(there).content.decode()


def test_stop_and_go_on(researcher: Client, endpoint: Endpoint) -> None:
    trial = asked(endpoint, gammas(small_corpus(1)), example_set=draft_set())
    text = researcher.post(reverse("generation:trial_stop", args=[trial.pk]), follow=True).content.decode()
    assert "Stopped." in text
    assert "Go on" in text
    researcher.post(reverse("generation:trial_start", args=[trial.pk]))
    assert fetched(trial).state == "running"
    text = researcher.post(reverse("generation:trial_discard", args=[trial.pk]), follow=True).content.decode()
    assert "cannot be discarded" in text


@pytest.mark.parametrize("of", ["trial", "run"])
def test_a_trial_and_its_run_are_thrown_away_together(researcher: Client, endpoint: Endpoint, of: str) -> None:
    gammas(small_corpus(1))
    draft = draft_set()
    researcher.post(address(draft), filled(researcher, address(draft)))
    pk = Trial.objects.get().pk if of == "trial" else Run.objects.get().pk
    page = researcher.post(reverse(f"generation:{of}_discard", args=[pk]), follow=True)
    assert "Nothing had been sent." in page.content.decode()
    assert not Trial.objects.exists()
    assert not Run.objects.exists()


def test_an_answer_from_before_is_said_to_cost_nothing(researcher: Client, endpoint: Endpoint) -> None:
    gammas(small_corpus(1))
    draft = draft_set()
    for _ in range(2):
        researcher.post(address(draft), filled(researcher, address(draft)))
        trial = fetched(Trial.objects.latest("pk"))
        if trial.own_run is not None:
            researcher.post(reverse("generation:trial_start", args=[trial.pk]))
            work(trial.own_run)
    assert Call.objects.count() == 2
    text = researcher.get(trial.get_absolute_url()).content.decode()
    assert "Nothing was paid: an earlier trial" in text
    assert "2 of 2 answers" in text


def test_a_tried_wording_is_kept_as_a_version_by_one_click(researcher: Client, endpoint: Endpoint) -> None:
    trial = tried(endpoint, gammas(small_corpus(1)), prompt=wording("further_split", "\nBe brief."))
    assert "Keep this wording as version 2" in researcher.get(trial.get_absolute_url()).content.decode()
    assert trial.prompt is not None
    keep = reverse("generation:prompt_keep", args=[trial.prompt.pk])
    pages = [researcher.post(keep, follow=True).content.decode() for _ in range(2)]
    assert all("Kept as" in page for page in pages)
    newest = example_sets.newest_prompts([Stage.FURTHER_SPLIT])[0]
    assert (newest.version, newest.user) == (2, trial.prompt.user)
    assert "It is kept as" in researcher.get(trial.prompt.get_absolute_url()).content.decode()


def test_trials_are_listed_by_set_and_in_a_few_queries(
    researcher: Client, endpoint: Endpoint, django_assert_max_num_queries: Any
) -> None:
    given, draft, other = gammas(small_corpus(1)), draft_set(), draft_set(name="Other")
    for number in range(4):
        asked(endpoint, given, example_set=draft if number else other, seed=number)
    with django_assert_max_num_queries(16):
        page = researcher.get(reverse("generation:trials"))
    assert len(page.context["page"]) == 4
    with django_assert_max_num_queries(16):
        page = researcher.get(reverse("generation:trials"), {"set": draft.pk})
    assert len(page.context["page"]) == 3
    assert f"?set={draft.pk}" in researcher.get(draft.get_absolute_url()).content.decode()
    assert researcher.get(reverse("generation:trials"), {"set": "1\x00"}).status_code == 404
    unused = draft_set(name="Unused")
    assert "Not tried yet" in researcher.get(reverse("generation:trials"), {"set": unused.pk}).content.decode()


def test_trials_are_on_no_list_and_in_no_choice(researcher: Client, endpoint: Endpoint) -> None:
    corpus = small_corpus(2)
    given = gammas(corpus)
    before = counts()
    trial = tried(endpoint, given, example_set=draft_set(), prompt=wording("further_split", "\nBe brief."))
    assert counts() == before
    scratch, run = Corpus.objects.get(is_scratch=True), trial.own_run
    assert run is not None
    pages = {
        "/corpora/": scratch.name, reverse("generation:runs"): run.name, reverse("home"): run.name,
        reverse("generation:run_new"): scratch.name, reverse("generation:judge_new"): scratch.name,
        reverse("generation:compare"): run.name, "/studies/new/": scratch.name,
        reverse("generation:example_sets"): "as tried", reverse("generation:prompts"): "on trial",
        reverse("api:corpora"): scratch.name, reverse("api:runs"): run.name,
        reverse("api:example_sets"): "as tried", reverse("api:prompts"): "Be brief.",
    }  # fmt: skip
    for path, hidden in pages.items():
        page = researcher.get(path)
        assert page.status_code == 200, path
        assert hidden not in page.content.decode(), path
    # By its own address it opens.
    assert researcher.get(scratch.get_absolute_url()).status_code == 200
    form = researcher.get(reverse("generation:run_new")).context["form"]
    for name in ("further_split_prompt", "further_split_set", "corpus"):
        offered = set(form.fields[name].queryset)
        assert not offered & {trial.prompt, scratch, *ExampleSet.objects.filter(snapshot_of__isnull=False)}


def test_without_an_endpoint_or_γ_the_page_says_what_to_do_first(researcher: Client) -> None:
    draft = draft_set()
    assert "First, an endpoint" in researcher.get(address(draft)).content.decode()
    endpoint_at(NOWHERE)
    assert "First, a corpus" in researcher.get(address(draft)).content.decode()
    small_corpus(1)
    assert "have a run write γ first" in researcher.get(address(draft)).content.decode()
    single = draft_set(ExampleKind.SINGLE_STEP, "Single")
    assert researcher.get(address(single)).context["form"].any_found


def test_a_failed_answer_is_named(researcher: Client, demo_model: DemoServer, endpoint: Endpoint) -> None:
    trial = tried(endpoint, gammas(small_corpus(1)), example_set=draft_set())
    call = Call.objects.order_by("pk").first()
    assert call is not None
    call.outputs.all().delete()
    Call.objects.filter(pk=call.pk).update(state="failed", outcome="lost_content")
    text = researcher.get(trial.get_absolute_url()).content.decode()
    assert "1 of 2 answers, 1 failed" in text
    assert "Failed: " in text
    assert Run.objects.count() == 1
