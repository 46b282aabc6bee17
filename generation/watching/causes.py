"""Outcomes of calls in words, short for lists and a sentence for quality pages, and replies that show each problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, F, QuerySet, When, Window
from django.db.models.functions import Left, RowNumber

from generation.endpoints.client import Trouble
from generation.engine.reading import NOT_READ, NOT_STORED
from generation.engine.settling import MOST_TRIES
from generation.models import Call, Run, Stage
from generation.parsing import LEAST_TURNS, THEME_WORDS, Outcome

EXAMPLES_EACH = 3
LETTERS_SHOWN = 600
_CAME_BACK = Case(When(raw_reply="", then=F("raw_body")), default=F("raw_reply"))
CAUSES: dict[str, str] = {
    Outcome.TRUNCATED: "Cut off at the length limit",
    Outcome.FILTERED: "Stopped by a content filter",
    Outcome.EMPTY: "Empty reply",
    Outcome.UNPARSABLE: "Not in the form asked for",
    Outcome.WRONG_SPEAKERS: "Wrong speakers",
    Outcome.BETA_HAS_RUNS: "β with several messages in a row",
    Outcome.GAMMA_HAS_NONE: "Step-by-step without several messages in a row",
    Outcome.TOO_FEW_MESSAGES: "Too few messages",
    Outcome.LOST_CONTENT: "Lost content of γ",
    Outcome.INVENTED_CONTENT: "Invented content",
    Outcome.THEME_LENGTH: "Theme too short or too long",
    Outcome.TRAITS_MISSING: "Traits missing",
    Outcome.REFUSED: "Declined to answer",
    Outcome.SCORE_MISSING: "A score is missing",
    Outcome.SCORE_NOT_A_NUMBER: "A score is not a number",
    Outcome.SCORE_OUT_OF_RANGE: "A score beyond 0 to 100",
    Outcome.REASON_MISSING: "A score without a reason",
    Trouble.REJECTED: "Request rejected by the endpoint",
    Trouble.PROVIDER: f"Endpoint failed {MOST_TRIES} times",
    Trouble.AMBIGUOUS: "Sent, but not answered",
    NOT_STORED: "Reply could not be stored",
    NOT_READ: "Reading the reply failed",
}

MEANINGS: Mapping[str, str] = {
    Outcome.TRUNCATED: "the reply ended at the longest length allowed; raise it, or ask for less.",
    Outcome.FILTERED: "a content filter held the reply back, or would not let the request through.",
    Outcome.EMPTY: "the endpoint answered with nothing.",
    Outcome.UNPARSABLE: "no JSON of the kind asked for could be read from the reply.",
    Outcome.WRONG_SPEAKERS: "a third person speaks, or only one of the two does.",
    Outcome.BETA_HAS_RUNS: "in β somebody sends two messages in a row, and single-step means one.",
    Outcome.GAMMA_HAS_NONE: "nobody sends two messages in a row, and step-by-step means that some do.",
    Outcome.TOO_FEW_MESSAGES: f"the dialogue has fewer than {LEAST_TURNS} turns.",
    Outcome.LOST_CONTENT: "the rewrite keeps fewer of γ's words, in order, than the run demands.",
    Outcome.INVENTED_CONTENT: "the rewrite has more words that are not from γ than the run allows.",
    Outcome.THEME_LENGTH: f"the theme does not have {THEME_WORDS.start} to {THEME_WORDS.stop - 1} words.",
    Outcome.TRAITS_MISSING: "the corpus has no traits for a character, and the reply gives none.",
    Outcome.REFUSED: "the model says that it will not do this; it is not asked again, because it would say the same.",
    Outcome.SCORE_MISSING: "a metric that was asked for has no score.",
    Outcome.SCORE_NOT_A_NUMBER: "a score is not a number.",
    Outcome.SCORE_OUT_OF_RANGE: "a score lies below 0 or above 100.",
    Outcome.REASON_MISSING: "a score comes without the sentence that gives its reason.",
    Trouble.REJECTED: "the endpoint refused the request itself; it is not sent again automatically.",
    Trouble.PROVIDER: f"the endpoint failed or could not be reached, {MOST_TRIES} times.",
    Trouble.AMBIGUOUS: "the request went out and nothing came back; it may have been paid for.",
    NOT_STORED: "the reply was read, but the database refused its content.",
    NOT_READ: "the program failed while reading the reply; the reply is kept and can be read again after a fix.",
}


def said(outcome: str, before: str = "") -> str:
    """An outcome in words; "another usable answer" if the reply was usable `before`, too."""
    if outcome == Outcome.OK:
        return "Another usable answer" if before == outcome else "Usable"
    return CAUSES.get(outcome, outcome)


@dataclass(frozen=True, slots=True)
class Failure:
    """One problem at one stage, and the newest calls that had it; each has `beginning`, the start of its reply."""

    cause: str
    stage: Stage
    calls: Sequence[Call]


def examples_of_failures(run: Run, most: int = EXAMPLES_EACH) -> list[Failure]:
    """By stage and cause, in the order of the stages; one query."""
    groups: dict[tuple[str, str], list[Call]] = {}
    for call in _newest_of_each(run, most):
        groups.setdefault((call.stage, call.outcome), []).append(call)
    return [Failure(cause, Stage(stage), calls) for (stage, cause), calls in groups.items()]


def _newest_of_each(run: Run, most: int) -> QuerySet[Call]:
    place = Window(RowNumber(), partition_by=[F("stage"), F("outcome")], order_by=[F("pk").desc()])
    unusable = Call.objects.filter(run=run).exclude(outcome__in=("", Outcome.OK))
    return (
        unusable.annotate(place=place, beginning=Left(_CAME_BACK, LETTERS_SHOWN))
        .filter(place__lte=most)
        .select_related("alpha", "run_stage")
        .defer("raw_reply", "raw_body", "alpha__messages", "alpha__traits_1", "alpha__traits_2", "alpha__theme")
        .order_by("depth", "outcome", "-pk")
    )
