"""From a run's γ by people's hands back into a run: five pairs are curated, frozen, used; every output leads back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client

from annotation.models import Restructuring
from dialogues.editing import replay, transcript_of
from dialogues.models import Dialogue
from generation.engine.requests import build, with_stages
from generation.models import Call, Example, ExampleSet, FrozenError, Output, Run
from generation.plans.choosing import Selection
from tests.annotation.setting import user
from tests.demo_server import DemoServer
from tests.generation.runs import draft, endpoint_at, small_corpus, started, work
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
PAIRS = 5


def ask(researcher: Client, annotator: User) -> list[Restructuring]:
    """The first five γ, sent to one annotator through the pages."""
    page = researcher.get("/restructurings/ask/", {"how": "first", "n": PAIRS, "version": "gamma"})
    dialogues = page.context["form"]["dialogues"].value()
    form = {"dialogues": dialogues, "people": [annotator.pk], "instructions": "Cut where one would press send."}
    assert researcher.post("/restructurings/ask/", form).status_code == 302
    return list(Restructuring.objects.order_by("pk"))


def restructure(annotator: Client, row: Restructuring) -> None:
    """The rules' proposals, taken where there are any, and one message added; then handed in."""
    texts = annotator.get(f"{row.get_absolute_url()}proposals/", {"by": "rules"}).json()["texts"]
    bodies: list[dict[str, Any]] = [
        {"op": "accept", "at": place, "texts": parts, "by": "rules"}
        for place, parts in reversed(list(enumerate(texts)))
        if len(parts) > 1
    ]
    bodies.append({"op": "insert", "at": 0, "speaker": row.original.messages[0][0], "text": f"oh {row.pk}"})
    sent = [
        {"id": f"00000000-0000-4000-8000-{row.pk:06}{number:06}", "body": body, "age": 0}
        for number, body in enumerate(bodies)
    ]
    answer = annotator.post(
        f"{row.get_absolute_url()}operations/", json.dumps({"version": 0, "operations": sent}), "application/json"
    )
    assert answer.json() == {"version": len(bodies)}
    assert annotator.post(f"{row.get_absolute_url()}submit/", {"version": len(bodies)}).status_code == 302


def curate(researcher: Client, row: Restructuring, into: ExampleSet) -> None:
    """Approved, and added as a pair with the reason why."""
    row.refresh_from_db()
    address = f"/restructurings/{row.token}"
    assert researcher.post(f"{address}/approve/", {"version": row.version}).status_code == 302
    added = researcher.post(f"{address}/example/", {"example_set": into.pk, "note": f"Number {row.pk}"})
    assert added.status_code == 302


def test_five_pairs_are_curated_frozen_and_used_and_every_output_leads_back(demo_model: DemoServer) -> None:
    researcher, annotator = user("rey", "researcher"), user("ann")
    desk = client_of(researcher)
    corpus, endpoint = small_corpus(PAIRS), endpoint_at(demo_model.base_url)
    work(started(corpus, endpoint))

    rows = ask(desk, annotator)
    assert len(rows) == PAIRS
    assert desk.post("/generation/examples/new/", {"name": "Ours", "kind": "further_split"}).status_code == 302
    ours = ExampleSet.objects.get(name="Ours")
    for row in rows:
        restructure(client_of(annotator), row)
        curate(desk, row, ours)
    assert desk.post(f"/generation/examples/{ours.pk}/freeze/").status_code == 302

    ours.refresh_from_db()
    assert ours.frozen_at is not None
    run = draft(corpus, endpoint, sets={"further_split": ours}, seed=9, selection=Selection(with_examples=True))
    desk.post(f"/generation/runs/{run.pk}/start/")
    work(Run.objects.with_stages().get(pk=run.pk))

    outputs = list(Output.objects.filter(call__run=run, version="stephanie").select_related("call", "dialogue"))
    assert len(outputs) == PAIRS
    calls = with_stages([output.call for output in outputs])
    for call, request in zip(calls, build(calls), strict=True):
        assert [used.pk for used in call.run_stage.example_sets.all()] == [ours.pk]
        assert call.request_sha256 == request.sha256
        sent = json.dumps([message["content"] for message in request.messages], ensure_ascii=False)
        assert all(f"oh {row.pk}" in sent for row in rows)
    page = desk.get(f"/generation/calls/{calls[0].pk}/").content.decode()
    assert f'href="/generation/examples/{ours.pk}/"' in page
    assert_pairs_lead_back(ours)
    assert_frozen(ours)


def assert_pairs_lead_back(ours: ExampleSet) -> None:
    """Each pair to its γ, the approved rewrite, and a log that makes the one of the other."""
    examples = list(ours.examples.order_by("position").select_related("dialogue", "dialogue_after"))
    assert [example.source for example in examples] == [Example.Source.RESTRUCTURING] * PAIRS
    for example in examples:
        before, after = example.dialogue, example.dialogue_after
        assert isinstance(before, Dialogue)
        assert isinstance(after, Dialogue)
        assert (before.version_id, after.version_id, after.parent_id) == ("gamma", "restructured", before.pk)
        told = replay(before.transcript, [step["operation"] for step in example.operations])
        assert transcript_of(told.draft).to_json() == example.messages_after == after.messages
        assert before.messages == example.messages
        source = Call.objects.get(outputs__dialogue=before)
        assert source.stage == "pair"


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(DatabaseError), transaction.atomic():
        yield


def assert_frozen(ours: ExampleSet) -> None:
    """Neither the model nor the database itself lets anybody change it."""
    example = ours.examples.first()
    assert example is not None
    example.note = "another reason"
    with pytest.raises(FrozenError):
        example.save()
    with refused():
        Example.objects.filter(pk=example.pk).update(note="another reason")
    statements = [
        ("UPDATE generation_example SET note = 'x' WHERE id = %s", example.pk),
        ("DELETE FROM generation_example WHERE id = %s", example.pk),
        ("UPDATE generation_exampleset SET name = 'x' WHERE id = %s", ours.pk),
        ("UPDATE generation_exampleset SET frozen_at = NULL WHERE id = %s", ours.pk),
        ("DELETE FROM generation_exampleset WHERE id = %s", ours.pk),
    ]
    for statement, key in statements:
        with refused(), connection.cursor() as cursor:
            cursor.execute(statement, [key])
    assert ours.examples.count() == PAIRS
