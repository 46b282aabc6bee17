"""The text of a paper's methods section about a study: facts from the record, without judgement."""

from collections import Counter
from collections.abc import Iterator

from annotation.allocation.orders import BETWEEN
from annotation.design.chat_words import methods_of_chats, methods_of_systems
from annotation.design.texts import order_plan
from annotation.models import Item, Rating, Study
from annotation.people import acquaintance
from annotation.rating.rater_stage import consent_fingerprint
from dialogues.sources import Sources


def methods_text(study: Study) -> str:
    """Plain text with one paragraph per subject."""
    if study.is_imported:
        return " ".join(_imported(study)) + "\n"
    if study.has_chats:
        about = (_chats(study), methods_of_systems(study), methods_of_chats(study), _questions(study), _testers(study))
        parts: tuple[Iterator[str], ...] = (*about, _people(study), _record(study))
    else:
        how = (_raters(study), _checks(study), _repeats(study))
        parts = (_items(study), _questions(study), *how, _people(study), _record(study))
    return "\n\n".join(" ".join(part) for part in map(list, parts) if part) + "\n"


def _items(study: Study) -> Iterator[str]:
    counts = study.selection
    symbols = {version.pk: version.symbol for version in study.versions.all()}
    backgrounds = _count(counts["backgrounds"], "background")
    if study.compares:
        pairs = "; ".join(f"{symbols[one]} with {symbols[other]}" for one, other in study.pairs)
        yield f"Raters compared {_count(counts['items'], 'pair')} of dialogues from {backgrounds} ({pairs})."
    else:
        yield f"Raters scored {_count(counts['items'], 'dialogue')}: {', '.join(symbols.values())} of {backgrounds}."
    yield f"The backgrounds came from the corpus “{study.corpus.name}”, where {counts['complete']:,} had every version"
    yield f"and {counts['incomplete']:,} did not and were left out."
    if counts.get("set_aside"):
        yield f"Backgrounds kept for training and checks: {counts['set_aside']:,}."
    if counts["backgrounds"] + counts.get("set_aside", 0) < counts["complete"]:
        yield f"They are a random sample with seed {study.seed}."
    if study.writer:
        yield f"Generated versions were written by {study.writer}."
    if study.sources:
        yield f"They are those of {Sources.of(study.sources).words(study.corpus)}."
    yield "Spacing and capitals were normalised on display." if study.tidy_display else "Texts were shown as stored."
    if study.is_simulated:
        yield "The ratings are simulated; no people took part."


def _chats(study: Study) -> Iterator[str]:
    counts, systems = study.selection, ", ".join(system.version.name for system in study.systems.all())
    each = study.raters_per_item or 0
    yield f"Testers chatted with {systems} about {_count(counts['backgrounds'], 'background')}, and scored each chat."
    yield f"For every system and background {_count(each, 'chat')} were asked for, each of another tester:"
    yield f"{_count(counts['items'] * each, 'chat')} in all."
    yield f"The backgrounds came from the corpus “{study.corpus.name}”, where {counts['complete']:,} originals had a"
    yield f"theme or characters and {counts['incomplete']:,} had neither and were left out."
    if counts["backgrounds"] + counts["set_aside"] < counts["complete"]:
        yield f"They are a random sample with seed {study.seed}."
    if study.is_simulated:
        yield "The ratings are simulated; no people took part."


def _imported(study: Study) -> Iterator[str]:
    """What is known of ratings that were collected elsewhere: how it was done is for their own source to say."""
    counts, names = study.selection, ", ".join(metric.name for metric in study.rubric.metric_list())
    people = study.memberships.tally()
    yield f"The ratings were collected elsewhere, not on this platform, and imported on {study.closed_at:%d %B %Y}."
    yield f"They are of {_count(counts['items'], 'dialogue')} on {_count(counts['backgrounds'], 'background')}"
    yield f"by {_count(people['joined'], 'rater')}, of whom {people['excluded']:,} are excluded and not counted."
    yield f"The metrics are {names}; scores lie between {study.rubric.scale_low} and {study.rubric.scale_high}."
    if study.is_simulated:
        yield "The file marks them as simulated; no people took part."


def _questions(study: Study) -> Iterator[str]:
    names = ", ".join(metric.name for metric in study.rubric.metric_list())
    yield f"The questions were those of “{study.rubric.name}”: {names}."
    if study.compares:
        yield "Each was answered with left, same or right."
    else:
        yield f"Each was scored from {study.rubric.scale_low} to {study.rubric.scale_high}."
    narrow = [metric for metric in study.rubric.metric_list() if metric.asked_for]
    for metric in narrow:
        yield f"{metric.name} was asked only about {', '.join(metric.asked_for)}."


def _raters(study: Study) -> Iterator[str]:
    each = study.raters_per_item
    yield f"Every item was given to {_count(each, 'rater')}." if each else "Every rater was given every item."
    yield from _members(study)
    yield order_plan(each, compares=study.compares)
    yield f"Orders follow from the seed {study.seed}. Raters saw neither versions nor writers."
    yield from _acquainted(study)


def _testers(study: Study) -> Iterator[str]:
    yield from _members(study)
    yield order_plan(study.raters_per_item, compares=False, has_chats=True)
    yield f"Orders and paces follow from the seed {study.seed}. Testers saw neither names of systems nor models."
    yield from _acquainted(study)


def _members(study: Study) -> Iterator[str]:
    people, finished = study.memberships.tally(), study.memberships.finished().count()
    yield f"Raters who joined: {people['joined']:,}; rated everything available to them: {finished:,};"
    yield f"excluded by a researcher and not counted: {people['excluded']:,}; withdrew: {people['withdrawn']:,}."


def _acquainted(study: Study) -> Iterator[str]:
    known = Counter(event.detail["how"] for event in acquaintance.accepted(study))
    for how, count in sorted(known.items()):
        yield f"Not blind to the material: {_count(count, 'rater')} who {how}."


def _checks(study: Study) -> Iterator[str]:
    purposes = study.items.exclude(purpose=Item.Purpose.RATED).values_list("purpose", flat=True)
    counted = Counter(purposes)
    if not counted:
        return
    words = {
        Item.Purpose.TRAINING: ("training item", " with feedback"),
        Item.Purpose.GOLD: ("gold item", " with known scores"),
        Item.Purpose.ATTENTION: ("attention check", ""),
    }
    found = [_count(counted[kind], noun) + more for kind, (noun, more) in words.items() if counted[kind]]
    were = "was" if counted.total() == 1 else "were"
    yield f"There {were} also {', '.join(found)}; none of this is counted in any result."
    if study.most_lapses is not None:
        failed = study.memberships.screened_out().count()
        counts = "still count" if study.counts_screened_out else "are in no result"
        yield f"Raters who failed more than {_count(study.most_lapses, 'attention check')} were screened out"
        yield f"({_count(failed, 'rater')}); their ratings {counts}."


def _repeats(study: Study) -> Iterator[str]:
    if not study.hidden_repeats:
        return
    again = Rating.objects.repeats().for_study(study)
    raters = again.order_by().values("assignment__membership").distinct().count()
    items = "item was" if study.hidden_repeats == 1 else "items were"
    yield f"Up to {study.hidden_repeats:,} {items} shown to each rater a second time, unannounced, with at least"
    yield f"{BETWEEN} others between where the rater had as many; {_count(raters, 'rater')} scored"
    yield f"{_count(again.count(), 'item')} again. These scores count only in raters' agreement with themselves."


def _people(study: Study) -> Iterator[str]:
    for called, text in (("Recruitment", study.recruitment), ("Pay", study.pay_note)):
        if text:
            yield f"{called}: {_closed(text)}"
    if study.minutes_estimate:
        yield f"Raters were told that the work takes {_count(study.minutes_estimate, 'minute')}."
    if study.break_every:
        yield f"Raters were reminded to take a break every {study.break_every} minutes."


def _record(study: Study) -> Iterator[str]:
    if study.approval_number:
        yield f"Ethics approval: {_closed(study.approval_number)}"
    if study.consent_text:
        yield f"Raters agreed to the consent text with SHA-256 {consent_fingerprint(study)} before the first item."
        scores = "kept" if study.withdrawal == study.Withdrawal.KEEP else "removed"
        yield f"When somebody withdrew, their identity was removed and their scores were {scores}."
    else:
        yield "No consent text was shown."
    if study.retention:
        yield f"Retention: {_closed(study.retention)}"
    launched = f"{study.launched_at:%d %B %Y}" if study.launched_at else "not yet"
    yield f"The design (version {study.version}) was frozen at the launch on {launched}."
    if study.plan_sha256:
        yield f"So was the plan of its analysis (SHA-256 {study.plan_sha256})."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
