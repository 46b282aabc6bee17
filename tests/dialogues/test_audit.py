"""Audit verbs: one grammar, none unused, and the former ones were carried over."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

ROOT = Path(__file__).parents[2]
APPS = ("dialogues", "generation", "annotation", "demo")
migration = import_module("dialogues.migrations.0004_audit_verbs")


@pytest.mark.parametrize("verb", AuditVerb)
def test_a_verb_is_an_object_and_what_was_done_to_it(verb: AuditVerb) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_(out|back))?", verb)
    assert len(verb) <= 60


def test_every_verb_is_recorded_somewhere() -> None:
    code = "".join(path.read_text() for app in APPS for path in (ROOT / app).rglob("*.py"))
    assert [verb.name for verb in AuditVerb if f"AuditVerb.{verb.name}" not in code] == []


def test_an_event_reads_in_words_also_with_a_verb_that_is_gone() -> None:
    assert AuditEvent(verb=AuditVerb.RETURN_LINK_SHOWN).in_words == "show return link"
    assert AuditEvent(verb="thing.done").in_words == "thing.done"


@pytest.mark.django_db
def test_stored_verbs_are_renamed_and_can_be_renamed_back() -> None:
    former = [*migration.NEW, "run.created", "of another program"]
    AuditEvent.objects.bulk_create(AuditEvent(verb=verb, subject="study:1") for verb in former)
    stored = AuditEvent.objects.order_by("pk").values_list("verb", flat=True)
    migration.to_one_grammar(apps, None)
    assert list(stored.all()) == [*migration.NEW.values(), "run.created", "of another program"]
    assert set(migration.NEW.values()) <= set(AuditVerb.values)
    migration.to_former_words(apps, None)
    assert list(stored.all()) == former
