"""What a check finds out about an endpoint, and what runs planned after it make of that."""

from dataclasses import replace
from typing import Any

import pytest

from demo.model.faults import BatchSettings, DemoSettings
from generation.endpoints.checking import check
from generation.endpoints.client import CallError, Trouble
from generation.engine.requests import build, rebuild_messages, with_stages
from generation.forms import EndpointForm
from generation.models import Call, Endpoint, Run
from tests.demo_server import DemoServer
from tests.generation.runs import draft, endpoint_at, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)


def checked(server: DemoServer, **manners: Any) -> Endpoint:
    server.settings = DemoSettings(seed=7, **manners)
    endpoint = endpoint_at(server.base_url)
    assert check(endpoint)
    return Endpoint.objects.get(pk=endpoint.pk)


def test_a_check_finds_out_about_schemas_and_batches_and_says_so(demo_model: DemoServer) -> None:
    endpoint = checked(demo_model)
    assert (endpoint.structured_output, endpoint.supports_batch) == ("json_schema", True)
    assert endpoint.check_result.endswith("It keeps to a JSON schema and offers batches.")
    assert demo_model.stats()["requests"] == 2


def test_a_plain_server_passes_its_check_all_the_same(demo_model: DemoServer) -> None:
    endpoint = checked(demo_model, schemas="refuse", batches=BatchSettings(offered=False))
    assert (endpoint.structured_output, endpoint.supports_batch) == ("none", False)
    assert endpoint.check_result.endswith("It keeps to no JSON schema and offers no batches.")


def test_an_outage_in_the_middle_of_a_check_changes_nothing_that_was_known(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = checked(demo_model)
    demo_model.settings = replace(demo_model.settings, schemas="refuse", batches=BatchSettings(offered=False))
    monkeypatch.setattr("generation.endpoints.checking.structured_form", outage)
    assert check(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.structured_output, endpoint.supports_batch) == ("json_schema", True)
    assert "could not be found out: HTTP 503" in endpoint.check_result


async def outage(*args: object) -> None:
    raise CallError(Trouble.PROVIDER, "HTTP 503: down")


@pytest.mark.parametrize(
    ("form", "field"), [("json_schema", "response_format"), ("structured_outputs", "structured_outputs")]
)
def test_a_runs_requests_carry_the_schema_in_the_form_that_is_honoured(
    demo_model: DemoServer, form: str, field: str
) -> None:
    endpoint = endpoint_at(demo_model.base_url, structured_output=form)
    run = started(small_corpus(2), endpoint)
    assert all(field in row.parameters for row in run.run_stages.all())
    work(run)
    call = Call.objects.filter(run=run, stage="pair").select_related("dialogue").first()
    assert call is not None
    request, same = rebuild_messages(with_stages([call])[0])
    assert same
    assert request.sha256 == call.request_sha256
    assert "step_by_step" in str(request.parameters[field])
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED


@pytest.mark.parametrize("form", ["unknown", "none"])
def test_a_server_that_honours_no_schema_is_sent_none(demo_model: DemoServer, form: str) -> None:
    demo_model.settings = DemoSettings(seed=7, schemas="refuse")
    run = started(small_corpus(2), endpoint_at(demo_model.base_url, structured_output=form))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert demo_model.stats()["outcomes"] == {"ok": 6}


def test_a_reply_is_validated_however_a_server_promised_to_keep_to_the_schema(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=7, faults={"unparsable": 1.0})
    run = started(small_corpus(1), endpoint_at(demo_model.base_url, structured_output="json_schema"))
    work(run)
    assert run.calls.get(repair=2).outcome == "unparsable"
    assert run.backgrounds.count() == 0


def test_the_schema_is_part_of_what_a_request_is_known_by(demo_model: DemoServer) -> None:
    endpoint = endpoint_at(demo_model.base_url)
    plain = draft(small_corpus(1), endpoint)
    Endpoint.objects.update(structured_output="json_schema")
    endpoint.refresh_from_db()
    held = draft(plain.corpus, endpoint)
    hashes = {request_of(run).sha256 for run in (plain, held)}
    assert len(hashes) == 2


def request_of(run: Run) -> Any:
    dialogue, row = run.corpus.dialogues.originals().get(), run.rows[0]
    call = Call(run=run, run_stage=row, dialogue=dialogue, alpha=dialogue, stage=row.stage)
    return build(with_stages([call]))[0]


def test_another_address_or_model_makes_what_was_found_unknown_again(demo_model: DemoServer) -> None:
    endpoint = checked(demo_model)
    form = EndpointForm(None, instance=endpoint)
    data = {name: "" if value is None else value for name, value in form.initial.items()}
    changed = EndpointForm({**data, "model": "another"}, instance=endpoint)
    assert changed.is_valid(), changed.errors
    changed.save()
    endpoint.refresh_from_db()
    assert (endpoint.structured_output, endpoint.supports_batch) == ("unknown", False)
