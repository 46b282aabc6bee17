"""The pages of training runs: making one, watching it, serving and registering what came of it."""

import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dialogues.models import AuditEvent
from generation.models import Endpoint, TrainingRun
from generation.training.describing import card_of
from generation.training.launching import ask_to_stop
from generation.training.registering import CannotRegisterError, register, tuned_of
from generation.training.serving import Tuned, served_name, servers
from tests.generation.runs import endpoint_at
from tests.generation.training_runs import dialogue_set, event, story, tell, training_run

pytestmark = pytest.mark.django_db
NASTY = '<b>&" A run \N{PARROT}'
WHERE = "http://gpu.example.org:8000/v1"


def page(client: Client, run: TrainingRun) -> str:
    response = client.get(run.get_absolute_url())
    assert response.status_code == 200
    return str(response.content.decode())


def post(client: Client, action: str, run: TrainingRun, **sent: Any) -> HttpResponse:
    return client.post(reverse(f"generation:training_run_{action}", args=[run.pk]), sent)


def finished(**fields: Any) -> TrainingRun:
    return tell(training_run(**fields), story())


def test_the_list_says_what_there_is_and_that_nothing_is(researcher: Client) -> None:
    assert "No training run yet" in researcher.get(reverse("generation:training_runs")).content.decode()
    finished(name=NASTY, training_set=dialogue_set(is_demo=True))
    text = researcher.get(reverse("generation:training_runs")).content.decode()
    assert "&lt;b&gt;&amp;&quot; A run" in text
    assert "demo rules, not a language model" in text
    assert "4 of 4" in text


def test_a_new_run_waits_and_shows_the_commands_that_start_it(researcher: Client) -> None:
    training_set = dialogue_set()
    sent = {"training_set": training_set.pk, "base": "meta-llama/Meta-Llama-3-8B", "method": "lora"}
    address = reverse("generation:training_run_new")
    answers = [researcher.post(address, sent) for _ in range(2)]
    # A double click makes one.
    assert answers[0]["Location"] == answers[1]["Location"]
    run = TrainingRun.objects.get()
    text = page(researcher, run)
    assert f"python manage.py training run --resume {run.pk}" in text
    assert f"--report http://testserver/api/training-runs/{run.pk}/events/" in text
    assert "STEPHANIE_TOKEN" in text
    assert "accelerate launch -m generation.training.finetune" in text
    assert AuditEvent.objects.filter(verb="training_run.created").count() == 1


def test_a_method_that_does_not_fit_the_set_is_refused_at_its_field(researcher: Client) -> None:
    sent = {"training_set": dialogue_set().pk, "base": "a", "method": "dpo"}
    answer = researcher.post(reverse("generation:training_run_new"), sent)
    assert answer.status_code == 422
    assert "DPO needs a set of preferences" in answer.context["form"].errors["method"][0]
    assert not TrainingRun.objects.exists()


def test_a_running_run_shows_figures_samples_and_notices(researcher: Client) -> None:
    run = tell(training_run(name=NASTY), story()[:7])
    text = page(researcher, run)
    assert "Step 3 of 4, loss 1.167" in text
    assert "1,234" in text or "1,235" in text
    assert "3.0 GiB" in text
    assert "Length 212 tokens: the longest example." in text
    assert re.search(r"<p class=\"bubble\"[^>]*>hi !</p>\s*<p class=\"bubble\"[^>]*>how are you \?</p>", text)
    assert "It did not stop by itself." in text
    assert 'hx-trigger="every 3s"' in text
    assert NASTY not in text
    # Nothing says that it could be stopped from here.
    assert "Stop with a checkpoint" not in text


def test_a_page_that_watches_gets_what_is_new_and_the_whole_page_at_the_end(researcher: Client) -> None:
    run = training_run()

    def watching() -> Callable[[], HttpResponse]:
        (seen,) = re.findall(r"\?seen=([^\"]+)", page(researcher, run))
        return lambda: researcher.get(run.get_absolute_url(), {"seen": seen}, headers={"hx-request": "true"})

    look = watching()
    assert look().status_code == 204
    tell(run, story()[:5])
    assert look()["HX-Refresh"] == "true"
    look = watching()

    assert look().status_code == 204
    tell(run, story()[:9])
    answer = look()
    assert "Step 4 of 4" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    tell(run, story())
    assert look()["HX-Refresh"] == "true"


def test_the_losses_and_the_check_are_pictures_and_files(researcher: Client) -> None:
    run = finished(training_set=dialogue_set(is_demo=True))
    for slug in ("loss", "check"):
        address = reverse("generation:training_run_figure", args=[run.pk, slug, "svg"])
        light, dark = (researcher.get(address, {"theme": theme}).content for theme in ("light", "dark"))
        assert light.startswith(b"<svg")
        assert light != dark
        assert b"demo" in light
        download = researcher.get(address, {"download": "1"})
        assert "tiny-on-small" in download["Content-Disposition"]
    csv = researcher.get(reverse("generation:training_run_table", args=[run.pk, "check", "csv"])).content.decode()
    assert csv.splitlines()[1].startswith("Tuned model,40,82.5,2.4,8.25,97.5,0.431,2.5")
    tex = researcher.get(reverse("generation:training_run_table", args=[run.pk, "check", "tex"])).content.decode()
    assert "demo rules" in tex
    losses = researcher.get(reverse("generation:training_run_table", args=[run.pk, "losses", "csv"])).content.decode()
    assert losses.splitlines()[2] == "2,1.75,1.8"
    text = page(researcher, run)
    assert "replies that hold the delimiter" in text
    assert "Nothing about this model is a finding" in text


@pytest.mark.parametrize(("slug", "form"), [("loss", "exe"), ("none", "svg")])
def test_what_is_no_figure_is_not_found(researcher: Client, slug: str, form: str) -> None:
    address = reverse("generation:training_run_figure", args=[finished().pk, slug, form])
    assert researcher.get(address).status_code == 404


def test_a_failed_run_says_why_and_how_to_go_on(researcher: Client) -> None:
    run = tell(training_run(), [*story()[:4], event(5, "failed", why="No memory is left on the card.")])
    text = page(researcher, run)
    assert "No memory is left on the card." in text
    assert "It was trained on another machine." in text
    TrainingRun.objects.update(out="/here")
    assert f"training run --resume {run.pk}" in page(researcher, run)


def test_only_a_run_that_a_command_here_looks_after_can_be_stopped(researcher: Client) -> None:
    run = tell(training_run(), story()[:4])
    assert (
        "works on another machine" in post(researcher, "stop", run).wsgi_request._messages._queued_messages[0].message
    )
    TrainingRun.objects.update(is_attended=True)
    assert "Stop with a checkpoint" in page(researcher, run)
    post(researcher, "stop", run)
    assert TrainingRun.objects.get().stop_asked_at is not None
    assert "is asked to stop" in page(researcher, run)
    assert not ask_to_stop(run, by=None)


def log_of(events: list[dict[str, Any]]) -> BytesIO:
    file = BytesIO("".join(json.dumps(fields) + "\n" for fields in events).encode())
    file.name = "events.jsonl"
    return file


def test_a_log_is_uploaded_and_uploading_it_again_adds_what_is_new(researcher: Client) -> None:
    run = training_run()
    post(researcher, "upload", run, events=log_of(story()[:5]))
    post(researcher, "upload", run, events=log_of(story()))
    run.refresh_from_db()
    assert (run.state, run.events.count()) == ("finished", len(story()))
    assert AuditEvent.objects.filter(verb="training_log.uploaded").count() == 2


def test_of_a_file_that_is_no_log_nothing_is_stored(researcher: Client) -> None:
    run = training_run()
    file = BytesIO(log_of(story()[:2]).getvalue() + b"a cat sat on the keyboard\n")
    file.name = "events.jsonl"
    answer = post(researcher, "upload", run, events=file)
    assert answer.status_code == 422
    assert "line 3" in answer.content.decode()
    assert not run.events.exists()


# --- serving and registering ----------------------------------------------------------------------


def test_the_commands_serve_the_adapter_or_the_merged_model() -> None:
    ways = {way.name: way for way in servers(Tuned("tiny", "/runs/a b/model", "org/base", is_adapter=True, rank=20))}
    adapter = ways["vLLM with the adapter"]
    assert "--enable-lora --lora-modules 'tiny=/runs/a b/model' --max-lora-rank 32" in adapter.commands[0]
    assert adapter.model == "tiny"
    assert "merge_and_unload" in ways["llama.cpp"].commands[0]
    assert "convert_hf_to_gguf.py '/runs/a b/merged'" in ways["llama.cpp"].commands[1]
    whole = servers(Tuned("tiny", "/runs/b/model", "org/base", is_adapter=False))
    assert [way.name for way in whole] == ["vLLM", "llama.cpp", "transformers"]
    assert "merge" not in "".join(command for way in whole for command in way.commands)


@pytest.mark.parametrize(
    ("name", "word"), [("Llama 3 on Chats v2", "llama-3-on-chats-v2"), ("\N{PARROT} é", "tuned-7"), ("..a..", "a")]
)
def test_a_served_name_is_a_word_that_servers_take(name: str, word: str) -> None:
    assert served_name(name, 7) == word


def test_a_registered_model_is_an_endpoint_that_knows_its_delimiter(researcher: Client) -> None:
    run = finished()
    sent = {"address": f"{WHERE}/chat/completions", "model": "tiny", "name": "Tuned"}
    assert "vllm serve tiny/llama --enable-lora" in page(researcher, run)
    first = post(researcher, "register", run, **sent)
    again = post(researcher, "register", run, **sent)
    endpoint = Endpoint.objects.get()
    assert first["Location"] == again["Location"] == endpoint.get_absolute_url()
    assert (endpoint.base_url, endpoint.delimiter, endpoint.reply_mode) == (WHERE, "<|msg|>", "as_trained")
    run.refresh_from_db()
    assert run.endpoint == endpoint
    assert AuditEvent.objects.filter(verb="endpoint.registered").count() == 1
    text = researcher.get(endpoint.get_absolute_url()).content.decode()
    assert "What it was trained on" in text
    assert "Small v1" in text
    # Saving the form of the endpoint leaves delimiter and mode alone.
    fields = {
        name: form_value
        for name, form_value in researcher.get(endpoint.get_absolute_url()).context["form"].initial.items()
        if form_value is not None
    }
    assert researcher.post(endpoint.get_absolute_url(), {**fields, "name": "Renamed"}).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.delimiter, endpoint.reply_mode) == ("Renamed", "<|msg|>", "as_trained")


def test_an_endpoint_that_is_there_already_learns_what_it_was_trained_for() -> None:
    run, there = finished(), endpoint_at(WHERE, model="tiny", name="By hand")
    assert register(run, address=WHERE, model="tiny") == (there, False)
    there.refresh_from_db()
    assert (there.name, there.delimiter) == ("By hand", "<|msg|>")


def test_what_cannot_be_registered_says_why(researcher: Client) -> None:
    with pytest.raises(CannotRegisterError, match="has not finished"):
        register(training_run(), address=WHERE, model="tiny")
    run = finished(training_set=dialogue_set("Other"))
    answer = post(researcher, "register", run, address="ftp://gpu.example.org/v1", model="tiny", name="Here")
    assert answer.status_code == 422
    assert answer.context["form"].errors["address"]
    endpoint_at(WHERE, name="Taken")
    answer = post(researcher, "register", run, address=WHERE, model="tiny", name="Taken")
    assert answer.context["form"].errors["name"]
    register(run, address=WHERE, model="tiny", name="Free")
    with pytest.raises(CannotRegisterError, match="is registered as Free"):
        register(run, address=f"{WHERE}/moved", model="tiny")
    assert Endpoint.objects.count() == 2


def test_an_endpoint_as_trained_has_a_delimiter() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        endpoint_at(WHERE, reply_mode=Endpoint.ReplyMode.AS_TRAINED)
    endpoint = Endpoint(name="x", base_url=WHERE, model="m", reply_mode=Endpoint.ReplyMode.AS_TRAINED)
    with pytest.raises(ValidationError):
        endpoint.full_clean()


# --- the card -------------------------------------------------------------------------------------


def test_the_card_says_what_the_model_was_made_of_and_what_the_check_found(researcher: Client) -> None:
    run = finished(name="Tiny | with a bar", base_licence="llama3", training_set=dialogue_set(is_demo=True))
    text = card_of(run)
    head = yaml.safe_load(text.split("---\n")[1])
    assert (head["base_model"], head["library_name"], head["license_name"]) == ("tiny/llama", "peft", "llama3")
    assert "demo-data" in head["tags"]
    assert run.training_set.sha256 in text
    assert "**Trained on demo data" in text
    assert "| Tuned model | 40 | 82.5 | 2.40 |" in text
    assert "Copied: replies that stand in the training data" in text
    assert "| evaluation | 4 | 0.9000 |" in text
    assert "vllm serve tiny/llama" in text
    assert "rank | 8" in text
    download = researcher.get(reverse("generation:training_run_card", args=[run.pk]))
    assert download.content.decode() == text


def test_the_card_of_a_run_without_a_check_says_so() -> None:
    text = card_of(tell(training_run(), story()[:5]))
    assert "It was not checked after training." in text
    assert "How to serve it" not in text
    assert tuned_of(training_run(method="full", training_set=dialogue_set("Whole"))).is_adapter is False
