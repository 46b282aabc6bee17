"""A trial with everything that came of it, for scripts."""

from typing import Any

from generation.trials.results import Answer, Results


def as_json(found: Results) -> dict[str, Any]:
    trial = found.trial
    return {
        "trial": trial.pk,
        "what": trial.what,
        "stage": trial.stage,
        "state": trial.state,
        "run": trial.own_run.pk if trial.own_run else None,
        "sentence": found.sentence,
        "why_alone": trial.why_alone,
        "arms": [
            {"name": arm.name, "sets": [used.pk for used in arm.run_stage.example_sets.all()],
             "prompt": arm.run_stage.prompt_id, "reused": arm.reused}
            for arm in trial.arms.all()
        ],
        "backgrounds": [
            {"dialogue": row.source.key if row.source else row.subject.key, "before": row.before,
             "answers": [_answer_json(answer) for answer in row.answers]}
            for row in found.rows
        ],
    }  # fmt: skip


def _answer_json(answer: Answer) -> dict[str, Any]:
    written = [
        {"version": one.version.pk, "messages": one.dialogue.messages if one.dialogue else None, "figures": one.figures,
         "call": one.call.pk if one.call else None, "failed": one.failed, "why": one.why}
        for one in answer.written
    ]  # fmt: skip
    return {"arm": answer.arm.name, "tokens": answer.tokens, "cost": str(answer.cost), "written": written}
