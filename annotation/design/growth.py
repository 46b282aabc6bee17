"""Make a launched study larger: more raters per item, or more backgrounds."""

from django.contrib.auth.models import User
from django.db import transaction

from annotation.allocation.slots import allocate_to_all, make_slots, number_items
from annotation.allocation.williams import seeded
from annotation.design import selection
from annotation.design.drafting import DesignError
from annotation.design.launch import make_items
from annotation.models import Study
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


@transaction.atomic
def extend(*, study: Study, raters_per_item: int, by: User | None) -> int:
    """Ask for more raters per item; returns how many slots that adds. Raises DesignError for fewer, or once closed."""
    grown = _growing(study)
    before = grown.raters_per_item
    if before is None:
        raise DesignError("In this study everyone scores everything. Invite more raters instead.")
    if raters_per_item <= before:
        raise DesignError(f"Every dialogue has {before} raters already. Ask for more than that.")
    items = number_items(grown)
    make_slots(grown, range(before + 1, raters_per_item + 1), items)
    grown.raters_per_item = study.raters_per_item = raters_per_item
    grown.save(update_fields=["raters_per_item"])
    added = (raters_per_item - before) * len(items)
    AuditEvent.record(by, AuditVerb.STUDY_EXTENDED, grown, before=before, after=raters_per_item, places=added)
    return added


@transaction.atomic
def add_items(*, study: Study, backgrounds: int, by: User | None) -> int:
    """Add that many backgrounds with all their versions, drawn by the study's seed; returns the number of new items.

    Raises DesignError if the corpus does not have as many left.
    """
    grown = _growing(study)
    known = set(grown.items.values_list("background_id", flat=True))
    there = selection.complete(grown)
    left = [choice for choice in there.choices if choice.background not in known]
    if not 1 <= backgrounds <= len(left):
        raise DesignError(f"{len(left):,} backgrounds with every version are left. Choose from 1 to that number.")
    chosen = seeded(grown.seed, "more", len(known)).sample(left, backgrounds)
    old = set(grown.items.values_list("pk", flat=True))
    make_items(grown, there.only(chosen).units())
    _count_items(grown)
    added = [item for item in number_items(grown) if item.pk not in old]
    make_slots(grown, range(1, (grown.raters_per_item or 0) + 1), added)
    allocate_to_all(grown, added)
    study.selection = grown.selection
    AuditEvent.record(by, AuditVerb.ITEMS_ADDED, grown, backgrounds=backgrounds, items=len(added))
    return len(added)


def _growing(study: Study) -> Study:
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if not (locked.is_open or locked.is_paused):
        raise DesignError("Only an open or paused study can grow.")
    return locked


def _count_items(study: Study) -> None:
    rated = study.items.filter(purpose="rated")
    counts = {"items": rated.count(), "backgrounds": rated.values("background").distinct().count()}
    study.selection = study.selection | counts | {"demo": rated.filter(dialogue__is_demo=True).count()}
    study.save(update_fields=["selection"])
