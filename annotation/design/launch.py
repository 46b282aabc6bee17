"""Launch a study: freeze its design, and make its items and slots, in one transaction; make a launched one larger."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from annotation.allocation.orders import rater_order
from annotation.allocation.slots import allocate_to_all, make_slots, number_items
from annotation.allocation.williams import seeded
from annotation.design import chat_cells, selection
from annotation.design.checklist import musts
from annotation.design.drafting import DesignError, locked_in
from annotation.design.plan_record import hash_of_plan
from annotation.design.selection import Selection, Unit, select
from annotation.models import Item, Study
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue, Rubric, Version
from generation.background import study_background

BATCH = 1000
IS_DEMO = Q(dialogue__is_demo=True) | Q(other__is_demo=True)


@transaction.atomic
def launch(*, study: Study, by: User | None) -> Study:
    """Freeze the design and make its items and slots; raises DesignError if something must be fixed first."""
    frozen = locked_in(Study.State.DRAFT, study, "This study has been launched already.")
    # Locked, so that nobody changes the questions at the same time.
    rubric = Rubric.objects.select_for_update(no_key=True).get(pk=frozen.rubric_id)
    selection = select(frozen)
    if problems := musts(frozen, selection):
        raise DesignError(" ".join(problem.text for problem in problems))
    _move_behind(frozen, selection.items)
    make_items(frozen, selection.units(), start=0)
    if frozen.has_chats:
        _prepare_chats(frozen, selection)
    else:
        # They were chosen while it was a study of chats.
        frozen.systems.all().delete()
    frozen.selection = selection.counts() | {"demo": frozen.items.filter(IS_DEMO).count()}
    frozen.state = Study.State.OPEN
    frozen.launched_at = timezone.now()
    frozen.plan_sha256 = hash_of_plan(frozen)
    frozen.save(update_fields=["selection", "state", "launched_at", "chat_budget", "plan_sha256"])
    if rubric.frozen_at is None:
        rubric.frozen_at = frozen.launched_at
        rubric.save(update_fields=["frozen_at"])
    numbered = number_items(frozen)
    make_slots(frozen, range(1, (frozen.raters_per_item or 0) + 1), numbered)
    allocate_to_all(frozen, numbered)
    planned = {"plan_sha256": frozen.plan_sha256} if frozen.plan_sha256 else {}
    AuditEvent.record(by, AuditVerb.STUDY_LAUNCHED, frozen, **frozen.selection, **planned)
    return frozen


def _prepare_chats(study: Study, selection: Selection) -> None:
    """What a study of chats needs beside its items; `make_items` has taken the first positions."""
    # Its kind may have changed after its systems were chosen.
    study.versions.set(Version.objects.filter(chat_systems__study=study))
    study.chat_budget = chat_cells.make_budget(study)
    if selection.practice is not None:
        chat_cells.make_practice(study, selection.practice, selection.items)


def make_items(study: Study, wanted: Iterable[Unit], *, start: int | None = None) -> list[Item]:
    """Make items of these dialogues, pairs or cells, in the study's shuffle, from `start` or the last position on."""
    units = list(wanted)
    needed = {pk for unit in units for pk in (unit.choice.background, unit.choice.donor) if pk}
    shown = Dialogue.objects.defer("messages").in_bulk(list(needed))
    if start is None:
        highest = study.items.aggregate(highest=Max("position"))["highest"]
        start = 0 if highest is None else highest + 1
    dialogues = chat_cells.placeholders(study, units) if study.has_chats else [unit.dialogue for unit in units]
    order = rater_order([unit.choice.background for unit in units], study.seed)
    items = []
    for position, index in enumerate(order, start):
        unit = units[index]
        background = shown[unit.choice.background]
        theme, traits_1, traits_2 = study_background(background, shown.get(unit.choice.donor, background))
        items.append(
            Item(
                study=study,
                dialogue_id=dialogues[index],
                other_id=unit.other,
                background=background,
                theme=theme,
                traits_1=traits_1,
                traits_2=traits_2,
                position=position,
            )
        )
    return Item.objects.bulk_create(items, batch_size=BATCH)


def _move_behind(study: Study, rated: int) -> None:
    """Move training and check items behind the `rated` items, which take the positions from 0."""
    kept = list(study.items.order_by("position"))
    if not kept:
        return
    # First move them out of the way, so that no two items ever share a position.
    away = kept[-1].position + rated + len(kept) + 1
    study.items.update(position=F("position") + away)
    for place, item in enumerate(kept, rated):
        item.position = place
        item.save(update_fields=["position"])


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
    study.selection = study.selection | counts | {"demo": study.items.filter(IS_DEMO).count()}
    study.save(update_fields=["selection"])
