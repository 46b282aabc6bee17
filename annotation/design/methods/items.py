"""What a study is about: its items and its questions."""

from collections.abc import Iterator

from annotation.design.flow import Flow
from annotation.design.launch import IS_DEMO
from annotation.design.study_events import events_of, on_day
from annotation.models import Item, Study
from core.numbers import count_in_words
from dialogues.audit import AuditVerb
from dialogues.display import DEMO_LABEL
from dialogues.sources import Sources

SIMULATED = "The ratings are simulated: a seeded program gave those that count, not people."


def dialogues(study: Study, flow: Flow) -> Iterator[str]:
    """Single dialogues, or two side by side."""
    symbols = {version.pk: version.symbol for version in study.versions.all()}
    were, backgrounds = _were(flow.items), count_in_words(flow.backgrounds, "background")
    if study.compares:
        pairs = "; ".join(f"{symbols[one]} with {symbols[other]}" for one, other in study.pairs)
        shown = f"{count_in_words(flow.items, 'pair')} of dialogues from {backgrounds}"
        yield f"{shown} {were} to be compared ({pairs})."
    else:
        shown = f"{count_in_words(flow.items, 'dialogue')} {were} to be scored"
        yield f"{shown}: {', '.join(symbols.values())} of {backgrounds}."
    yield from selection(study, flow)
    if study.writer:
        yield f"Generated versions are those that {study.writer} wrote."
    if study.sources:
        yield f"Generated versions come from {Sources.of(study.sources).words(study.corpus)}."
    yield "Spacing and capitals were normalised on display." if study.tidy_display else "Texts were shown as stored."
    yield from _marks(study)


def chats(study: Study, flow: Flow) -> Iterator[str]:
    """Systems to chat with."""
    systems = ", ".join(system.version.name for system in study.systems.select_related("version"))
    backgrounds = count_in_words(flow.backgrounds, "background")
    yield f"Testers were to chat with {systems} about {backgrounds}, and to score each chat."
    yield from selection(study, flow)
    yield from _marks(study)


def imported(study: Study, flow: Flow) -> Iterator[str]:
    """What is known of ratings that were collected elsewhere: how it was done is for their own source to say."""
    when = f" on {on_day(study.closed_at)}" if study.closed_at else ""
    yield f"The ratings were collected elsewhere, not on this platform, and imported{when}."
    shown, backgrounds = count_in_words(flow.items, "dialogue"), count_in_words(flow.backgrounds, "background")
    yield f"They are of {shown} on {backgrounds}."
    if study.is_simulated:
        yield "The file marks them as simulated; no people took part."


def questions(study: Study) -> Iterator[str]:
    rubric = study.rubric
    metrics, symbols = rubric.metric_list(), {version.pk: version.symbol for version in study.versions.all()}
    names = ", ".join(metric.name for metric in metrics)
    yield f"The questions are those of “{rubric.name}”: {names}."
    if study.compares:
        yield "Each is answered with left, same or right."
    else:
        yield f"Each is scored from {rubric.scale_low} to {rubric.scale_high}."
    for metric in metrics:
        if metric.asked_for:
            about = ", ".join(symbols.get(slug, slug) for slug in metric.asked_for)
            yield f"{metric.name} is asked only about {about}."


def selection(study: Study, flow: Flow) -> Iterator[str]:
    """Where the backgrounds came from, and how they were chosen."""
    complete, incomplete = (study.selection.get(name, 0) for name in ("complete", "incomplete"))
    has, lacks = ("a theme or characters", "neither") if study.has_chats else ("every version", "some of them only")
    yield (
        f"The backgrounds came from the corpus “{study.corpus.name}”, where at the launch {complete:,} had {has} and "
        f"{incomplete:,} had {lacks} and were left out."
    )
    if aside := study.selection.get("set_aside", 0):
        yield f"Backgrounds kept for training and checks: {aside:,}."
    if is_sample(study, flow):
        yield f"The rated backgrounds are a random sample with seed {study.seed}."
    for event in events_of(study, AuditVerb.ITEMS_ADDED):
        added = event.detail["backgrounds"]
        yield (
            f"{count_in_words(added, 'background')} of them {_were(added)} added on {on_day(event.at)}, drawn by the "
            "same seed."
        )


def is_sample(study: Study, flow: Flow) -> bool:
    """Whether the corpus had more backgrounds than were chosen."""
    return bool(flow.backgrounds + study.selection.get("set_aside", 0) < study.selection.get("complete", 0))


def _marks(study: Study) -> Iterator[str]:
    """Who made scores and texts, where it was not people and language models."""
    if demo := study.items.filter(IS_DEMO, purpose=Item.Purpose.RATED).count():
        texts = "replies" if study.has_chats else "texts"
        yield f"By {DEMO_LABEL}: {texts} of {count_in_words(demo, 'item')}."
    if study.is_simulated:
        yield SIMULATED


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
