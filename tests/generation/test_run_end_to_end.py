"""A run from real dialogues to Stephanie, over HTTP, through the ledger."""

import json
from collections import Counter
from pathlib import Path

import pytest

from dialogues.models import Dialogue
from generation.engine.requests import build, with_stages
from generation.models import Background, Call, Output, Run
from tests.demo_server import DemoServer
from tests.generation.runs import endpoint_at, real_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_200_real_dialogues_go_all_the_way_and_every_one_leads_back(demo_model: DemoServer, shared_data: Path) -> None:
    run = started(real_corpus(shared_data), endpoint_at(demo_model.base_url), sample=200, seed=3)
    work(run)

    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert Background.objects.filter(run=run).count() == 200
    written = Dialogue.objects.filter(output__call__run=run)
    assert Counter(written.values_list("version_id", flat=True)) == {"beta": 200, "gamma": 200, "stephanie": 200}
    assert written.values("origin", "version").distinct().count() == 600
    assert written.filter(is_demo=True, written_by="demo-rules").count() == 600
    assert not written.filter(version="stephanie").exclude(parent__version="gamma").exists()
    assert Call.objects.filter(run=run, outcome="ok").count() == 600
    stats = demo_model.stats()
    assert stats["stages"] == {"theme": 200, "pair": 200, "further_split": 200}
    assert stats["answered_again"] == 0

    outputs = list(Output.objects.select_related("call__dialogue", "dialogue"))
    calls = with_stages([output.call for output in outputs])
    for output, call, request in zip(outputs, calls, build(calls), strict=True):
        assert call.request_sha256 == request.sha256
        assert call.run_stage.prompt.frozen_at is not None
        if call.stage == "pair":
            assert json.dumps(output.dialogue.theme, ensure_ascii=False) in request.messages[-1]["content"]
        assert call.raw_reply
    used = run.sets_used
    assert [row.kind for row in used] == ["single_step", "step_by_step", "further_split"]
    assert all(row.frozen_at is not None for row in used)
