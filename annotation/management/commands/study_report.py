"""Print a study's report: what was found and the tables of its report page, or one JSON object."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from annotation.design.plan import AnalysisPlan, status
from annotation.design.plan_record import plan_of
from annotation.management.arguments import named_study
from annotation.management.exploratory_json import exploratory_json
from annotation.management.lead_json import agreement_json, first_lines, lead_json, primary_json, severity_json
from annotation.models import Study
from annotation.reports import unblinding
from annotation.reports.chat_findings import ChatFindings
from annotation.reports.findings import Findings
from annotation.reports.judge_measures import Beside, JudgeFacts, Powered, VersionLevel
from annotation.reports.lengths import Lengths
from annotation.reports.models.davidson import Preference
from annotation.reports.models.intervals import Target, Unfit
from annotation.reports.own_agreement import OwnAgreement
from annotation.reports.pair_findings import Preferences
from annotation.reports.study_agreement import PairsOfRaters
from annotation.reports.whole import found_of, plan_of_symbols, tables_of
from core import commands
from core.tables import to_text


class Command(commands.Command):
    help = "Print what a study found: the first lines of its report, departures from its plan, and every table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument("--no-dashes", action="store_true", help="show scores that the rubric prints as a dash")

    def handle(self, *args: Any, **options: Any) -> None:
        study = named_study(options["study"])
        unblinding.unblind(study=study, by=None, how="study_report")
        with commands.steps_shown() as steps:
            found = found_of(study, steps)
        dashes = not options["no_dashes"]
        if options["json"]:
            said = (
                preferences_json(study, found)
                if isinstance(found, Preferences)
                else as_json(study, found, dashes=dashes)
            )
            self.stdout.write(json.dumps(said, ensure_ascii=False, allow_nan=False))
            return
        for line in first_lines(study, found, dashes=dashes):
            self.stdout.write(line)
        for table in tables_of(study, found, dashes=dashes).values():
            self.stdout.write(to_text(table))


def preferences_json(study: Study, found: Preferences) -> dict[str, Any]:
    """Every win rate by metric and pair of versions, and what the report says first."""
    plan = plan_of_symbols(study)
    return {
        "study": study.name,
        "simulated": study.is_simulated,
        "imported": study.is_imported,
        "items": found.items,
        "rated_items": found.rated_items,
        "backgrounds": found.backgrounds,
        "raters": found.raters,
        "ratings": found.ratings,
        **left_out_json(study, found.screened_out),
        **lead_json(study, found, dashes=True),
        # Of a model that is fitted to each metric; no p values, so none are adjusted.
        "primary_analysis": {"target": Target.THESE_RATERS, "model": "davidson"},
        "win_rates": [
            {
                "metric": metric.key,
                "first": first,
                "second": second,
                "status": status(plan, metric.key, first, second),
                **(_dict(found.rate(number, place)) or {}),
            }
            for number, metric in enumerate(found.metrics)
            for place, (first, second) in enumerate(found.pairs)
        ],
        "left": {
            key: asdict(rate)
            for key, rate in zip([*(metric.key for metric in found.metrics), "all"], found.left, strict=True)
        },
        "davidson": {
            metric.key: _davidson(found, model, metric.key, plan)
            for metric, model in zip(found.metrics, found.models, strict=True)
        },
        "agreement": {key: agreement_json(one) for key, one in found.agreement.over_all.items()},
        "agreement_by_pair_of_versions": [
            {"metric": line.key[0], "first": line.first, "second": line.second}
            | agreement_json(found.agreement.by_versions[line.key])
            for line in found.lines
        ],
        **pairs_of_raters_json(found.agreement.by_raters),
        **own_agreement_json(found.own_agreement),
    }


def _davidson(found: Preferences, model: Preference | Unfit, metric: str, plan: AnalysisPlan | None) -> dict[str, Any]:
    """Davidson's model by symbols of versions, or why there is none."""
    if isinstance(model, Unfit):
        return {"unfit": model.reason}
    return {
        "strengths": {
            version: one._asdict() for version, one in zip(found.versions, model.strengths, strict=True) if one
        },
        "rates": [
            {
                "version": found.versions[row],
                "over": found.versions[column],
                "status": status(plan, metric, found.versions[row], found.versions[column]),
                **rate._asdict(),
            }
            for (row, column), rate in model.rates.items()
        ],
        "tie": model.tie._asdict(),
        "left": model.left._asdict(),
    }


def as_json(study: Study, found: Findings, *, dashes: bool = True) -> dict[str, Any]:
    """Every figure by metric key and version slug, scores that tables print as a dash included; with `dashes` only the
    lead leaves them out."""
    plan = plan_of(study)
    slugs = [version.slug for version in found.versions]
    keys = [metric.key for metric in found.metrics]
    return {
        "study": study.name,
        "simulated": study.is_simulated,
        "imported": study.is_imported,
        "items": found.items,
        "without_text": found.without_text,
        "rated_items": found.rated_items,
        "backgrounds": found.backgrounds,
        "raters": len(found.raters),
        "ratings": found.ratings,
        **left_out_json(study, found.screened_out),
        **lead_json(study, found, dashes=dashes),
        **primary_json(study, found),
        "agreement": {key: agreement_json(found.agreement[key]) for key in keys},
        "agreement_by_version": {
            key: {slug: agreement_json(found.agreement_by_version[key, slug]) for slug in slugs} for key in keys
        },
        **pairs_of_raters_json(found.pairs),
        **own_agreement_json(found.own_agreement),
        "means": {key: {slug: _dict(found.means[key, slug]) for slug in slugs} for key in keys},
        "comparisons": [
            {
                "metric": key[0],
                "first": key[1],
                "second": key[2],
                "status": status(plan, *key),
                "p_adjusted": found.adjusted[key],
                **(_dict(difference) or {}),
            }
            for key, difference in found.differences.items()
        ],
        "severity": severity_json(found),
        "versions": {
            version.slug: {**asdict(version), **lengths_json(found.lengths[version.slug])} for version in found.versions
        },
        **({"chats": chats_json(found.chats)} if found.chats else {}),
        **({"judges": [judge_json(judge, found) for judge in found.judges]} if found.judges else {}),
        **({"minutes_an_item": asdict(found.minutes)} if found.minutes else {}),
        **exploratory_json(found),
    }


def pairs_of_raters_json(pairs: PairsOfRaters) -> dict[str, Any]:
    shown = [
        {"between": pair.raters, "metrics": {key: agreement_json(one) for key, one in pair.by_metric.items()}}
        for pair in pairs.shown
    ]
    return {"agreement_by_pair": shown, "pairs_left_out": pairs.left_out}


def judge_json(judge: JudgeFacts, found: Findings) -> dict[str, Any]:
    """One judge beside the raters, by metric key and version slugs."""
    slugs = [version.slug for version in found.versions]
    return {
        "judge": judge.label,
        "demo": judge.is_demo,
        "about": judge.about,
        "reworded": judge.reworded,
        "dollars_a_dialogue": judge.dollars,
        "dialogues": judge.judged,
        "beside": {key: _beside_json(both, slugs) for key, both in judge.beside.items()},
        "prediction_powered": [
            {"metric": metric, "version": slug, **_powered_json(one)} for (metric, slug), one in judge.powered.items()
        ],
        "prediction_powered_differences": [
            {"metric": metric, "first": first, "second": second, **_powered_json(one)}
            for (metric, first, second), one in judge.gaps.items()
        ],
    }


def _beside_json(both: Beside, slugs: Sequence[str]) -> dict[str, Any]:
    return {
        "items": both.items,
        "backgrounds": both.backgrounds,
        "correlations": {name: one and one._asdict() for name, one in both.correlations.items()},
        "version_level": {"versions": both.by_version.versions, **_coefficients(both.by_version)},
        "bias": {
            "mean": both.bias.mean and both.bias.mean._asdict(),
            "by_version": {slug: one and one._asdict() for slug, one in zip(slugs, both.bias.by_version, strict=True)},
            "per_100_words": both.bias.per_100_words and both.bias.per_100_words._asdict(),
        },
        "alternative_annotator": _or_reason(both.alternative),
    }


def _coefficients(level: VersionLevel) -> dict[str, Any]:
    found = level.correlations
    return {"unfit": found.reason} if isinstance(found, Unfit) else {"correlations": dict(found)}


def _powered_json(one: Powered) -> dict[str, Any]:
    return {"people": one.people and one.people._asdict(), "mean": _or_reason(one.mean)}


def _or_reason(found: Any) -> dict[str, Any]:
    """A result by its fields, or why there is none."""
    return {"unfit": found.reason} if isinstance(found, Unfit) else asdict(found)


def own_agreement_json(found: Mapping[str, OwnAgreement]) -> dict[str, Any]:
    """Raters' agreement with themselves by metric, in a study with hidden repeats."""
    told = {key: {**asdict(one), "agreement": agreement_json(one.agreement, is_own=True)} for key, one in found.items()}
    return {"own_agreement": told} if found else {}


def chats_json(chats: ChatFindings) -> dict[str, Any]:
    """Figures of a study of chats by system, and lengths by system and side."""
    sides: dict[str, dict[str, Any]] = {slug: {} for slug in chats.systems}
    for (slug, side), measured in chats.sides.items():
        sides[slug][side] = lengths_json(measured)
    return {
        "systems": {slug: named(figures) for slug, figures in chats.systems.items()},
        "basis": {slug: asdict(basis) for slug, basis in chats.basis.items()},
        "sides": sides,
    }


def left_out_json(study: Study, raters: int) -> dict[str, Any]:
    """How many failed the attention checks, and whether their ratings are among those reported; and how many failed
    the training, who rated nothing."""
    failed_training = study.memberships.filter(failed_training=True).count()
    return {
        "screened_out": {"raters": raters, "count": study.counts_screened_out},
        "failed_training": {"raters": failed_training},
    }


def lengths_json(lengths: Lengths) -> dict[str, Any]:
    return named(lengths)


def named(row: Any) -> dict[str, Any]:
    """A dataclass with the parts of its estimates and spreads by name, not as bare lists."""
    return {name: value._asdict() if hasattr(value, "_asdict") else value for name, value in asdict(row).items()}


def _dict(found: Any) -> dict[str, Any] | None:
    return asdict(found) if found else None
