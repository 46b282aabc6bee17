"""Compare what a usable reply holds when it is read today with what was stored when it was first read."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation.engine.reading import made_of
from generation.models import Background, Call, Judgement, Output, Stage
from generation.parsing import Outcome, ParseError
from generation.stages import Made, Subject

log = logging.getLogger(__name__)

HELD = "Read today, this reply gives another result. The first result has been used since, so it stays."
ROUNDING = 1e-9
_ON_THEME = (Stage.PAIR, Stage.JUDGE)


@dataclass(slots=True)
class Stored:
    """What a call made."""

    background: Background | None = None
    outputs: dict[str, Output] = field(default_factory=dict)  # by version, with their dialogues
    scores: dict[str, tuple[float, str]] = field(default_factory=dict)  # by metric, with the reason

    def equals(self, made: Made) -> bool:
        """Whether `made` is what is stored; something that was deleted since counts as equal."""
        theme = self.background is None or made.background is None or _says(self.background) == _says(made.background)
        texts = all(_same(output.dialogue.transcript, made.dialogues.get(key)) for key, output in self.outputs.items())
        told = {key: (float(score.value), score.reason) for key, score in made.scores.items()}
        return theme and texts and (not self.scores or self.scores == told)

    def threshold(self, share: float) -> float:
        """The share of γ's words to demand: at most `share`, and no more than the stored dialogue reaches."""
        bounds = [(output.kept, 1 - (output.invented or 0)) for output in self.outputs.values()]
        asked = min([share, *(bound for pair in bounds for bound in pair if bound is not None)])
        return max(0.0, asked - ROUNDING)

    @property
    def words(self) -> str:
        """For the note of a call that is read again: what it was read as before."""
        if self.background is not None:
            return f"Before it was read again, this reply was read as the theme “{self.background.theme}”."
        if self.scores:
            scores = ", ".join(f"{key} {score:g}" for key, (score, _) in self.scores.items())
            return f"Before it was read again, this reply was read as the scores {scores}."
        sizes = ", ".join(f"{key} of {output.dialogue.message_count}" for key, output in self.outputs.items())
        return f"Before it was read again, this reply was read as other dialogues ({sizes} messages)."

    def delete(self, call: int) -> None:
        """Delete what the call made; nothing may be using it."""
        dialogues = [output.dialogue_id for output in self.outputs.values()]
        Dialogue.objects.filter(pk__in=dialogues).delete()
        Background.objects.filter(call=call).delete()
        Judgement.objects.filter(call=call).delete()


def stored_by(calls: Sequence[Call]) -> Mapping[int, Stored]:
    """What each of these calls made; three queries."""
    found = {call.pk: Stored() for call in calls}
    for background in Background.objects.filter(call__in=found):
        found[background.call_id].background = background
    for output in Output.objects.filter(call__in=found).select_related("dialogue"):
        found[output.call_id].outputs[output.version_id] = output
    for row in Judgement.objects.filter(call__in=found).order_by("pk"):
        found[row.call_id].scores[row.metric] = (row.score, row.reason)
    return found


def outcome_today(call: Call, subject: Subject, stored: Stored, share: float) -> tuple[str, str] | None:
    """(outcome, detail) if reading the reply today gives another result than the stored one, else None.

    "ok" means another usable answer. `share` is the run's threshold. Nothing is compared if nothing is left of what the
    call made.
    """
    if stored == Stored():
        return None
    try:
        if stored.equals(made_of(call, subject, stored.threshold(share))):
            return None
        made_of(call, subject, share)
    except ParseError as error:
        return error.outcome, error.detail
    except Exception:  # a reply that breaks the parser must not stop the others, and what it made stays
        log.exception("The reply of call %s could not be read", call.pk)
        return None
    return Outcome.OK, ""


def in_use(calls: Sequence[Call], stored: Mapping[int, Stored]) -> set[int]:
    """The calls whose results were built on, sent, scored or chosen since; nothing builds on judgements."""
    dialogues = {output.dialogue_id: pk for pk, one in stored.items() for output in one.outputs.values()}
    themes = {one.background.pk: pk for pk, one in stored.items() if one.background is not None}
    used = {dialogues[key] for key in _referred_to(Dialogue, dialogues, Output)}
    used |= {themes[key] for key in _referred_to(Background, themes)}
    places = {(call.run_id, call.dialogue_id): call.pk for call in calls if call.pk in themes.values()}
    later = Call.objects.filter(stage__in=_ON_THEME, dialogue__in={place[1] for place in places})
    later = later.filter(run__in={place[0] for place in places})
    return used | {places[place] for place in later.values_list("run", "dialogue") if place in places}


def _referred_to(model: type[Model], keys: Iterable[int], *but: type[Model]) -> set[int]:
    """The keys of these rows that rows of any app refer to."""
    wanted, found = list(keys), set[int]()
    relations: Iterable[Any] = model._meta.get_fields(include_hidden=True)
    for relation in relations if wanted else ():
        if relation.auto_created and not (relation.concrete or relation.many_to_many or relation.related_model in but):
            name = relation.field.name
            rows = relation.related_model._base_manager.filter(**{f"{name}__in": wanted})
            found |= set(rows.values_list(name, flat=True))
    return found


def _says(background: Any) -> tuple[str, list[str], list[str]]:
    return background.theme, list(background.traits_1), list(background.traits_2)


def _same(before: Transcript, after: Transcript | None) -> bool:
    return after is not None and before == after
