"""Who rated what in which order, what became of raters and ratings, and which scores somebody settled."""

from collections import defaultdict
from collections.abc import Iterator

from annotation.design.flow import End, Fate, Flow
from annotation.design.study_events import events_of, is_ever_blind, on_day
from annotation.design.texts import order_plan
from annotation.models import Adjudication, Chat, Rating, Study
from annotation.people import acquaintance
from core.numbers import count_in_words
from dialogues.audit import AuditVerb

NOBODY = "Nobody has joined."
NO_RATING = "No rating counts."
FATES = {
    Fate.CORRECTED: "replaced by a correction",
    Fate.TAKEN_BACK: "taken back by the rater",
    Fate.EXCLUDED: "by excluded raters",
    Fate.SCREENED_OUT: "by raters who were screened out",
    Fate.WITHDREW: "by raters who withdrew",
    Fate.OTHER_KIND: "by people in a simulated study, or by the simulator in a study of people",
    Fate.PLACE_LOST: "whose place had gone to another rater",
}


def raters(study: Study, flow: Flow) -> Iterator[str]:
    """How many joined, and where each of them ended or stands."""
    if not flow.joined:
        yield NOBODY
        return
    noun = _noun(study)
    if study.is_imported:
        yield f"{count_in_words(flow.joined, noun)} gave the ratings."
        if excluded := flow.ends[End.EXCLUDED].number:
            yield f"{count_in_words(excluded, noun)} {_was(excluded)} excluded by a researcher."
    else:
        yield f"{count_in_words(flow.joined, noun)} joined: {_listed(_stays(study, flow))}."
    if flow.raters:
        yield f"The ratings that count are by {count_in_words(flow.raters, noun)}{_among_them(flow)}."


def ratings(study: Study, flow: Flow) -> Iterator[str]:
    """How many ratings each item was to get and has, and why others do not count."""
    if not study.is_imported:
        yield _asked(study)
        yield from _raised(study)
    if study.has_chats:
        held = Chat.objects.in_study(study)
        ended = held.filter(state=Chat.State.ENDED).count()
        yield f"{count_in_words(held.count(), 'chat')} of these items {_are(held.count())} on record; {ended:,} ended."
    yield _attained(flow)
    if flow.submitted:
        rest = {fate: number for fate, number in flow.fates.items() if number and fate != Fate.COUNTED}
        counted = f"{flow.counted:,} of {count_in_words(flow.submitted, 'submitted rating')} {_counts(flow.counted)}"
        left = "; ".join(f"{number:,} {FATES[fate]}" for fate, number in rest.items())
        yield f"{counted}. Not counted: {left}." if rest else f"{counted}."
    removed = sum(event.detail.get("removed", 0) for event in events_of(study, AuditVerb.RATER_WITHDRAWN))
    if removed:
        theirs = f"{count_in_words(removed, 'rating')} by raters who withdrew, including ratings of checks,"
        yield f"{theirs} {_was(removed)} deleted."


def order(study: Study) -> Iterator[str]:
    """In which order raters were given items, and who was not blind."""
    yield order_plan(study.raters_per_item, compares=study.compares, has_chats=study.has_chats)
    # Only a study with ratings that count has a bundle.
    has_bundle = Rating.objects.counted().for_study(study).exists()
    where = "in data/orders.csv of the study's replication bundle" if has_bundle else "on record"
    yield f"Orders follow from the seed {study.seed} and from when raters came; the orders that they had are {where}."
    if study.has_chats:
        yield "Testers saw neither names of systems nor models."
    else:
        yield "Raters saw neither versions nor writers."
    yield from acquainted(study)


def acquainted(study: Study) -> Iterator[str]:
    """Who was not blind to the material, and rated all the same."""
    known: dict[str, set[int]] = defaultdict(set)
    for event in acquaintance.accepted(study):
        known[event.detail["how"]].add(event.detail["member"])
    for how, members in sorted(known.items()):
        yield f"Not blind to the material: {count_in_words(len(members), 'rater')} who {how}."


def adjudication(study: Study) -> Iterator[str]:
    """Settled scores, which stand beside those that raters gave and change no result."""
    settled = set(Adjudication.objects.filter(item__study=study).order_by().values_list("item", "metric"))
    if settled:
        scores = count_in_words(len(settled), "disputed score")
        items = count_in_words(len({item for item, _ in settled}), "item")
        yield f"Researchers settled {scores} of {items}; results count the scores as raters gave them."


def _stays(study: Study, flow: Flow) -> Iterator[str]:
    number = {end: raters.number for end, raters in flow.ends.items()}
    if excluded := number[End.EXCLUDED]:
        yield f"{excluded:,} {_was(excluded)} excluded by a researcher{_when_excluded(study, flow)}"
    if screened_out := number[End.SCREENED_OUT]:
        yield f"{screened_out:,} {_was(screened_out)} screened out by attention checks"
    if failed := number[End.FAILED_TRAINING]:
        yield f"{failed:,} {_was(failed)} screened out by the pass mark of the training"
    if withdrew := number[End.WITHDREW]:
        yield f"{withdrew:,} withdrew"
    if finished := number[End.FINISHED]:
        yield f"{finished:,} rated and had nothing left to rate"
    if unfinished := number[End.UNFINISHED]:
        yield f"{unfinished:,} had not finished"


def _when_excluded(study: Study, flow: Flow) -> str:
    if flow.excluded_after is not None:
        before = flow.ends[End.EXCLUDED].number - flow.excluded_after
        return f" ({before:,} before and {flow.excluded_after:,} after the study was unblinded)"
    return " while the study was blind" if is_ever_blind(study) else ""


def _among_them(flow: Flow) -> str:
    """Those among the counted raters who left early."""
    screened_out, withdrew = flow.ends[End.SCREENED_OUT].counted, flow.ends[End.WITHDREW].counted
    parts = [
        *([f"{screened_out:,} who {_was(screened_out)} screened out"] if screened_out else []),
        *([f"{withdrew:,} who withdrew"] if withdrew else []),
    ]
    return f", among them {_listed(parts)}" if parts else ""


def _asked(study: Study) -> str:
    each = study.raters_per_item
    if each is None:
        return "Every rater is given every item."
    if study.has_chats:
        chats = f"{count_in_words(each, 'chat')} {_was(each)} requested"
        return f"For each system and background, {chats}, each with a different tester."
    return f"For each item, {count_in_words(each, 'rating')} {_was(each)} requested, each from a different rater."


def _raised(study: Study) -> Iterator[str]:
    for event in events_of(study, AuditVerb.STUDY_EXTENDED):
        before, after = event.detail["before"], event.detail["after"]
        yield f"That number was raised from {before:,} to {after:,} on {on_day(event.at)}."


def _attained(flow: Flow) -> str:
    if not flow.counted:
        return NO_RATING
    if flow.least == flow.most:
        got = f"Every item has {count_in_words(flow.most, 'rating')} that {_counts(flow.most)}"
    else:
        got = f"Items have {flow.least:,} to {flow.most:,} ratings that count (median {flow.median:g})"
    if flow.wanted is None or flow.complete == flow.items:
        return f"{got}."
    return f"{got}; {flow.complete:,} of {flow.items:,} {_have(flow.complete)} the number asked for."


def _noun(study: Study) -> str:
    return "tester" if study.has_chats else "rater"


def _listed(parts: Iterator[str] | list[str]) -> str:
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _counts(number: int) -> str:
    return "counts" if number == 1 else "count"
