"""What a run made, as lines of JSON: dialogues in the form that `corpus import` reads, and judgements.

Read page by page in the order it was made, so that memory stays flat and no cursor outlives its transaction.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from core.streaming import in_pages
from dialogues.exporting import record_of
from dialogues.formats import jsonl
from generation.models import Judgement, Output, Run


def output_lines(run: Run, versions: Sequence[str] = ()) -> Iterator[str]:
    """One line for each written dialogue, with the call that wrote it; `versions` limits them."""
    rows = Output.objects.filter(call__run=run).select_related(
        "dialogue__origin", "dialogue__parent", "call__run_stage"
    )
    for output in in_pages(rows.filter(version__in=versions) if versions else rows):
        yield _line(json.loads(jsonl.dump(record_of(output.dialogue))) | _made(output))


def judgement_lines(run: Run) -> Iterator[str]:
    """One line for each score."""
    rows = Judgement.objects.filter(call__run=run)
    for row in in_pages(rows.select_related("dialogue__origin", "call__run_stage")):
        yield _line(
            {
                "dialogue": row.dialogue.key,
                "version": row.dialogue.version_id,
                "origin": row.dialogue.origin.key if row.dialogue.origin else row.dialogue.key,
                "written_by": row.dialogue.written_by,
                "judge": row.call.run_stage.model,
                "repeat": row.call.sample,
                "metric": row.metric,
                "score": row.score,
                "reason": row.reason,
                "call": row.call_id,
                "demo": row.call.is_demo,
            }
        )


def _made(output: Output) -> dict[str, Any]:
    call = output.call
    return {
        "run": call.run_id,
        "call": call.pk,
        "stage": call.stage,
        "branch": call.run_stage.branch,
        "edition": call.run_stage.edition,
        "model": call.run_stage.model,
        "kept": output.kept,
        "invented": output.invented,
    }


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
