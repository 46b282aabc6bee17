"""A report's figures as plain data, by metric key and version slug; scores that tables print as a dash included."""

from dataclasses import asdict
from typing import Any

from generation.judgements import figures, paper
from generation.judgements.loading import Findings, Verdict
from generation.judgements.tables import BASE


def as_json(found: Findings) -> dict[str, Any]:
    return {
        "corpus": found.corpus.name,
        "dialogues": found.dialogues,
        "demo_writers": sorted(found.demo_writers),
        "judges": [_judge(verdict) for verdict in found.verdicts],
    }


def _judge(verdict: Verdict) -> dict[str, Any]:
    means, gaps = figures.means(verdict.scores), figures.differences(verdict.scores, BASE)
    asked = {metric.key: metric for metric in verdict.metrics}
    return {
        "model": verdict.name,
        "address": verdict.key.address,
        "parameters": verdict.parameters,
        "prompt": verdict.prompt,
        "rubric": verdict.rubric,
        "tidied": verdict.key.tidy,
        "demo": verdict.is_demo,
        "means": [
            {**place._asdict(), "metric": metric, **mean._asdict(),
             "paper": paper.beside(asked[metric], place)}
            for (place, metric), mean in means.items()
        ],
        "differences": [
            {**place._asdict(), "from": BASE, "metric": metric, **gap.mean._asdict(), "effect": gap.effect,
             "higher": gap.higher}
            for (place, metric), gap in gaps.items()
        ],
        "repeats": {metric: spread._asdict() for metric, spread in figures.spread(verdict.rows).items()},
        "calls": [
            {"writer": writer, "version": version, **asdict(counts)}
            for (writer, version), counts in verdict.calls.items()
        ],
    }  # fmt: skip
