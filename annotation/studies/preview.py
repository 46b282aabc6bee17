"""What raters will see of a draft, before there are items."""

from dataclasses import dataclass

from annotation.blinding import Scene, scene
from annotation.models import Study
from annotation.studies.selection import Selection, background_of
from dialogues.models import Dialogue, Version


@dataclass(frozen=True, slots=True)
class Preview:
    """One item as raters will see it; `version` is for the researcher's eyes, beside it."""

    scene: Scene
    version: Version
    number: int
    total: int

    @property
    def following(self) -> int:
        return (self.number + 1) % self.total


def preview(study: Study, selection: Selection, number: int) -> Preview | None:
    """The selection's item `number`, counted from 0 and round again; None where there is none."""
    if not selection.items:
        return None
    per_background = len(selection.choices[0].dialogues)
    number %= selection.items
    choice = selection.choices[number // per_background]
    pk = list(choice.dialogues.values())[number % per_background]
    rows = Dialogue.objects.select_related("version").in_bulk({pk, choice.background, choice.donor or pk})
    shown = rows[pk]
    theme, traits_1, traits_2 = background_of(rows[choice.background], rows[choice.donor or pk])
    return Preview(
        scene=scene(shown, theme, traits_1, traits_2, tidy=study.tidy_display),
        version=shown.version,
        number=number,
        total=selection.items,
    )
