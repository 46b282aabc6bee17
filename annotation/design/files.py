"""Export a study's design to its JSON document, and make a study from one."""

import json
from dataclasses import asdict
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import transaction

from annotation.chats.plan import ChatPlan
from annotation.chats.versions import version_of
from annotation.design import checks, drafting, rubrics
from annotation.design.chat_document import System
from annotation.design.chat_systems import SystemChoice, delimiter_of, systems_of
from annotation.design.document import FIELDS, Check, Design, Questions
from annotation.design.plan_record import compared_versions, plan_of
from annotation.design.rubrics import to_lists
from annotation.models import Item, Study
from core.json_documents import DocumentError
from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.sources import FACETS, Sources, UnknownSourceError
from generation.models import Endpoint


def document_of(study: Study) -> Design:
    """The study's design with its questions in full, without raters and ratings."""
    rubric, analysis_plan = study.rubric, plan_of(study)
    rows = study.items.exclude(purpose=Item.Purpose.RATED).select_related("dialogue", "other").order_by("position")
    fields = {name: study.corpus.name if name == "corpus" else getattr(study, name) for name in FIELDS}
    if study.has_chats:
        fields |= {"writer": "", "sources": {}}
        names = {version.pk: version.name for version in compared_versions(study)}
        analysis_plan = analysis_plan and analysis_plan.renamed(names)
    return Design(
        fields=fields,
        versions=tuple(sorted(version.pk for version in study.versions.all())),
        pairs=tuple((one, other) for one, other in study.pairs) if study.compares else (),
        rubric=Questions(rubric.slug, rubric.name, rubric.scale, rubric.metric_list()),
        checks=() if study.has_chats else tuple(_check(row) for row in rows),
        systems=tuple(map(_system, systems_of(study))) if study.has_chats else (),
        plan=ChatPlan.of(study.chat_plan) if study.has_chats else None,
        analysis_plan=analysis_plan,
    )


def _system(chosen: SystemChoice) -> System:
    return System(**{**asdict(chosen), "endpoint": chosen.endpoint.name})


def _check(row: Item) -> Check:
    other = row.other.key if row.other else None
    return Check(row.purpose, row.dialogue.key, row.expected, other, row.tolerance, row.note)


def exported(study: Study) -> str:
    return json.dumps(document_of(study).to_json(), ensure_ascii=False, indent=2) + "\n"


@transaction.atomic
def make_from(found: Design, *, by: User | None) -> Study:
    """Make a draft of this design, all or nothing.

    Raises DocumentError for a corpus, version, source, endpoint, dialogue or rubric that does not exist here,
    NameTakenError and CheckError.
    """
    corpus = Corpus.objects.listed().filter(name=found.fields["corpus"]).first()
    if corpus is None:
        known = ", ".join(Corpus.objects.listed().values_list("name", flat=True)[:10])
        raise DocumentError([f"There is no corpus {found.fields['corpus']!r}. Available: {known or 'none yet'}."])
    versions = list(Version.objects.filter(pk__in=found.versions))
    if unknown := set(found.versions) - {version.pk for version in versions}:
        raise DocumentError([f"No such version: {', '.join(sorted(unknown))}."])
    if unknown := found.fields["sources"].keys() - FACETS.keys():
        raise DocumentError([f"Dialogues cannot be selected by {name[:40]!r}." for name in sorted(unknown)])
    try:
        sources = Sources.of(found.fields["sources"]).check(corpus)
    except UnknownSourceError as error:
        raise DocumentError([str(error)]) from error
    fields: dict[str, Any] = {
        **found.fields,
        "sources": sources.as_json(),
        "corpus": corpus,
        "rubric": _rubric(found.rubric, by),
        "pairs": [list(pair) for pair in found.pairs],
    }
    if found.plan is not None:
        fields["chat_plan"] = found.plan.as_json()
    if found.analysis_plan is not None:
        slugs = {system.name: version_of(system.name).pk for system in found.systems}
        fields["analysis_plan"] = found.analysis_plan.renamed(slugs).as_json()
    study = drafting.create_study(
        by=by, versions=versions, systems=_systems(found.systems), **cast(drafting.StudyFields, fields)
    )
    _add_checks(study, found.checks, by)
    return study


def _systems(wanted: tuple[System, ...]) -> list[SystemChoice]:
    """With the endpoints that have these names here."""
    known = {endpoint.name: endpoint for endpoint in Endpoint.objects.all()}
    if unknown := sorted({system.endpoint for system in wanted} - known.keys()):
        names = ", ".join(sorted(known)[:10]) or "none yet"
        raise DocumentError([f"There is no endpoint {name!r}. Available: {names}." for name in unknown])
    made = []
    for system in wanted:
        endpoint = known[system.endpoint]
        delimiter = delimiter_of(system.mode, system.delimiter, endpoint)
        made.append(SystemChoice(**{**asdict(system), "endpoint": endpoint, "delimiter": delimiter}))
    return made


def _add_checks(study: Study, wanted: tuple[Check, ...], by: User | None) -> None:
    keys = {key for check in wanted for key in (check.dialogue, check.other) if key}
    rows = {row.key: row for row in study.corpus.dialogues.filter(key__in=keys).select_related("origin")}
    if unknown := sorted(keys - rows.keys()):
        raise DocumentError([f"The corpus has no dialogue {key!r}." for key in unknown])
    for check in wanted:
        other: Dialogue | None = rows[check.other] if check.other else None
        checks.add_check(
            study=study,
            purpose=check.purpose,
            dialogue=rows[check.dialogue],
            other=other,
            expected=dict(check.expected),
            tolerance=check.tolerance,
            note=check.note,
            by=by,
        )


def _rubric(asked: str | Questions, by: User | None) -> Rubric:
    """An existing rubric that asks the same, preferably the one with this slug; otherwise a new one."""
    slug = asked if isinstance(asked, str) else asked.slug
    row = Rubric.objects.filter(slug=slug).first()
    if isinstance(asked, str):
        if row is None:
            known = ", ".join(Rubric.objects.values_list("slug", flat=True)[:10])
            raise DocumentError([f"There is no rubric {asked!r}. Available: {known or 'none yet'}."])
        return row
    same = Rubric.objects.filter(scale_low=asked.scale.low, scale_high=asked.scale.high).order_by("pk")
    wanted = to_lists(asked.metrics)
    for known_row in [*([row] if row else []), *same]:
        if to_lists(known_row.metric_list()) == wanted and known_row.scale == asked.scale:
            return known_row
    return rubrics.make_rubric(name=asked.name, metrics=asked.metrics, scale=asked.scale, by=by)
