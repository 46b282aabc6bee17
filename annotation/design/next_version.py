"""The next version of a launched design: a new draft that starts as a copy."""

import re

from django.contrib.auth.models import User
from django.db import transaction

from annotation.design.drafting import DesignError
from annotation.models import Item, Study
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

NUMBERED = re.compile(r"(?<!\s)\s+v\d+$")
COPIED = (
    "kind", "public_name", "corpus", "rubric", "pairs", "raters_per_item", "background_count", "writer", "sources",
    "seed", "guidelines", "consent_text", "withdrawal", "approval_number", "retention", "recruitment", "pay_note",
    "minutes_estimate", "break_every", "most_lapses", "counts_screened_out", "tidy_display", "is_simulated",
)  # fmt: skip
LONGEST_NAME = 120


@transaction.atomic
def next_version(*, study: Study, by: User | None) -> Study:
    """Make the draft that follows a launched study; asked again, returns the existing one.

    Training, gold and attention items are copied; its launch selects rated items again, by the same seed. Raters are
    not copied, because they agreed to another study. Raises DesignError for a draft.
    """
    old = Study.objects.select_for_update().get(pk=study.pk)
    if old.is_draft:
        raise DesignError("This study is a draft: change the draft itself.")
    known = old.later_versions.first()
    if known is not None:
        return known
    version = old.version + 1
    draft = Study.objects.create(
        name=_free_name(old.name, version),
        version=version,
        previous=old,
        created_by=by,
        **{name: getattr(old, name) for name in COPIED},
    )
    draft.versions.set(old.versions.all())
    _copy_checks(old, draft)
    AuditEvent.record(by, AuditVerb.STUDY_VERSION_CREATED, draft, of=old.pk)
    return draft


def _copy_checks(old: Study, draft: Study) -> None:
    kept = list(old.items.exclude(purpose=Item.Purpose.RATED).order_by("position"))
    for position, item in enumerate(kept):
        item.pk, item.study, item.position = None, draft, position
        item._state.adding = True
    Item.objects.bulk_create(kept)


def _free_name(name: str, version: int) -> str:
    """`X v2`, with a further number if another study has that name."""
    base, tail, number = NUMBERED.sub("", name), f" v{version}", 1
    while True:
        wanted = base[: LONGEST_NAME - len(tail)] + tail
        if not Study.objects.filter(name=wanted).exists():
            return wanted
        number += 1
        tail = f" v{version} ({number})"
