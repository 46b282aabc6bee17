"""A draft as raters will see it: consent, training, dialogues, checks; built by the same blinding as their pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotation.design.chat_words import plan_in_words
from annotation.design.selection import Choice, Selection, Unit, select
from annotation.models import Item, Study
from annotation.rating.blinding import NAMES, Question, Scene, questions, scene
from core.numbers import whole_number
from core.permissions import requires
from dialogues.models import Dialogue, Version
from generation.background import study_background

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """One item as raters will see it; `versions` and the marked scores are shown to researchers only."""

    scene: Scene
    questions: tuple[Question, ...]
    versions: tuple[Version, ...]
    number: int
    total: int
    note: str = ""

    @property
    def following(self) -> int:
        return (self.number + 1) % self.total

    @property
    def preceding(self) -> int:
        return (self.number - 1) % self.total


@dataclass(frozen=True, slots=True)
class Example:
    """An item in a list: its number in the preview, and the start of its dialogue."""

    number: int
    dialogue: Dialogue
    other: Dialogue | None
    begins: str


def preview(study: Study, selection: Selection, number: int) -> Preview | None:
    """Item `number` of the selection, from 0 and modulo their count; None if there are no items."""
    if not selection.items:
        return None
    number %= selection.items
    unit = selection.unit(number)
    choice = unit.choice
    rows = _dialogues([unit.dialogue, unit.other, choice.background, choice.donor])
    if study.has_chats:
        version = Version.objects.get(pk=unit.version)
        return _cell_preview(study, version, _told(choice, rows), number, selection.items)
    background = study_background(rows[choice.background], rows.get(choice.donor, rows[unit.dialogue]))
    shown = [rows[pk] for pk in (unit.dialogue, unit.other) if pk]
    return _preview(study, shown, background, number, selection.items)


def preview_check(study: Study, purpose: str, number: int) -> Preview | None:
    """Item `number` with this purpose, numbered likewise; training items with expected scores."""
    items = study.items.filter(purpose=purpose).select_related("dialogue__version", "other__version")
    total = items.count()
    if not total:
        return None
    number %= total
    item = items.order_by("position")[number]
    background = (item.theme, item.traits_1, item.traits_2)
    if study.has_chats:
        return _cell_preview(study, item.dialogue.version, background, number, total)
    shown = [row for row in (item.dialogue, item.other) if row]
    expected = item.expected if purpose == Item.Purpose.TRAINING else {}
    return _preview(study, shown, background, number, total, expected=expected, note=item.note)


def examples(study: Study, selection: Selection) -> list[Example]:
    """A few items, evenly spread over the selection; in a study of chats what the chats are about."""
    total = selection.items
    # Shift each by one more, so that not all have the same version.
    numbers = sorted({(place * total // EXAMPLES + place) % total for place in range(EXAMPLES)}) if total else []
    units: list[tuple[int, Unit]] = [(number, selection.unit(number)) for number in numbers]
    rows = _dialogues([pk for _, unit in units for pk in (unit.dialogue, unit.other, unit.choice.donor)])
    return [
        Example(
            number,
            rows[unit.dialogue],
            rows[unit.other] if unit.other else None,
            about(*_told(unit.choice, rows)) if study.has_chats else next(iter(rows[unit.dialogue].transcript)).text,
        )
        for number, unit in units
    ]


def about(theme: str, traits_1: list[str], traits_2: list[str]) -> str:
    """What a chat is about, in a line."""
    return theme or " ".join([*traits_1, *traits_2])


def _told(choice: Choice, rows: Mapping[int, Dialogue]) -> tuple[str, list[str], list[str]]:
    """Theme and both characters, as testers see them."""
    background = rows[choice.background]
    return study_background(background, rows.get(choice.donor, background))


def _dialogues(keys: Iterable[int | None]) -> dict[int, Dialogue]:
    return Dialogue.objects.select_related("version").in_bulk({pk for pk in keys if pk})


def _preview(
    study: Study,
    shown: list[Dialogue],
    background: tuple[str, list[str], list[str]],
    number: int,
    total: int,
    *,
    expected: dict[str, int] | None = None,
    note: str = "",
) -> Preview:
    asked = study.rubric.metrics_for(*(row.version_id for row in shown))
    right = shown[1] if len(shown) > 1 else None
    return Preview(
        scene=scene(shown[0], *background, tidy=study.tidy_display, right=right),
        questions=questions(study, asked, expected or {}),
        versions=tuple(row.version for row in shown),
        number=number,
        total=total,
        note=note,
    )


def _cell_preview(
    study: Study, version: Version, background: tuple[str, list[str], list[str]], number: int, total: int
) -> Preview:
    """What is shown before a chat, and what is asked after it."""
    return Preview(
        scene=_without_messages(*background),
        questions=questions(study, study.rubric.metrics_for(version.pk), {}),
        versions=(version,),
        number=number,
        total=total,
    )


def _without_messages(theme: str, traits_1: list[str], traits_2: list[str]) -> Scene:
    """Testers play the first speaker; they are not told who the other one is."""
    return Scene(turns=[], theme=theme, traits_1=tuple(traits_1), traits_2=(), names=NAMES)


PARTS = {
    "welcome": "Before it begins",
    Item.Purpose.TRAINING: "Training",
    "items": "Dialogues",
    Item.Purpose.GOLD: "Gold",
    Item.Purpose.ATTENTION: "Attention checks",
}
# Of a study of chats; the practice chat is its only training item.
CHAT_PARTS = {"welcome": "Before it begins", Item.Purpose.TRAINING: "Practice", "items": "Chats"}


@require_GET
@requires("annotation.view_study", "see studies")
def study_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What raters see, part by part; for a launched study, its frozen items."""
    study = get_object_or_404(Study.objects.select_related("rubric", "corpus"), pk=pk)
    part = request.GET.get("part", "items")
    parts = CHAT_PARTS if study.has_chats else PARTS
    part = part if part in parts else "items"
    context: dict[str, Any] = {
        "study": study,
        "part": part,
        "parts": [(slug, str(title)) for slug, title in parts.items()],
        "plan": plan_in_words(study),
        "shown": _shown(study, part, whole_number(request.GET.get("number")) or 0),
        "empty": (CHAT_EMPTY if study.has_chats else EMPTY).get(part, ""),
    }
    return render(request, "studies/preview.html", context)


EMPTY = {
    "items": "No background has every chosen version, so there is nothing to rate yet.",
    Item.Purpose.TRAINING: "This study has no training items: raters begin with what counts.",
    Item.Purpose.GOLD: "This study has no gold items.",
    Item.Purpose.ATTENTION: "This study has no attention checks.",
}

CHAT_EMPTY = {
    "items": "There are no systems yet, or no original with a theme or characters to chat about.",
    Item.Purpose.TRAINING: "Testers begin with what counts.",
}


def _shown(study: Study, part: str, number: int) -> Preview | None:
    if part == "welcome":
        return None
    if study.has_chats and study.is_draft:
        return _planned_cell(study, part, number)
    if part != "items":
        return preview_check(study, part, number)
    return preview(study, select(study), number) if study.is_draft else preview_check(study, Item.Purpose.RATED, number)


def _planned_cell(study: Study, part: str, number: int) -> Preview | None:
    """A cell of a draft, or its practice chat."""
    selection = select(study)
    if part == "items":
        return preview(study, selection, number)
    system = study.systems.select_related("version").first()
    if selection.practice is None or system is None:
        return None
    rows = _dialogues([selection.practice.background, selection.practice.donor])
    return _cell_preview(study, system.version, _told(selection.practice, rows), 0, 1)
