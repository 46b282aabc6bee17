"""What a study's record holds beside items and raters: checks, recruitment, consent, dates."""

from collections import Counter
from collections.abc import Iterator

from annotation.allocation.orders import BETWEEN
from annotation.design.study_events import events_of, is_ever_blind, on_day, unblinded_by
from annotation.models import Item, Rating, Study
from annotation.rating.rater_stage import consent_fingerprint
from core.numbers import count_in_words
from dialogues.audit import AuditVerb

CHECKS = {
    Item.Purpose.TRAINING: ("training item", " with feedback"),
    Item.Purpose.GOLD: ("gold item", " with known scores"),
    Item.Purpose.ATTENTION: ("attention check", ""),
}


def checks(study: Study) -> Iterator[str]:
    """Training, gold and attention items; what practice chats are, the sentences on chats say."""
    if study.has_chats:
        return
    counted = Counter(study.items.exclude(purpose=Item.Purpose.RATED).values_list("purpose", flat=True))
    if counted:
        found = [count_in_words(counted[kind], noun) + more for kind, (noun, more) in CHECKS.items() if counted[kind]]
        were = "was" if counted.total() == 1 else "were"
        yield f"There {were} also {', '.join(found)}; none of this is counted in any result."
    yield from pass_mark(study)
    if counted[Item.Purpose.ATTENTION] and study.most_lapses is not None:
        stay = "still count" if study.counts_screened_out else "are in no result"
        failed = count_in_words(study.most_lapses, "attention check")
        yield f"A rater who fails more than {failed} is screened out, and their ratings {stay}."


def pass_mark(study: Study) -> Iterator[str]:
    """The rule of the training; how many it screened out stands where raters are counted."""
    if study.least_passed is not None:
        lessons = count_in_words(study.items.filter(purpose=Item.Purpose.TRAINING).count(), "training item")
        yield (
            f"A rater who scores fewer than {study.least_passed:,} of {lessons} as expected at the first try is "
            "screened out before the first rated item."
        )


def repeats(study: Study) -> Iterator[str]:
    """Items that raters met a second time."""
    if not study.hidden_repeats:
        return
    again = Rating.objects.repeats().for_study(study)
    raters = again.order_by().values("assignment__membership").distinct().count()
    were = "was" if study.hidden_repeats == 1 else "were"
    yield (
        f"Up to {count_in_words(study.hidden_repeats, 'item')} {were} shown to each rater a second time, unannounced, "
        f"with at least {BETWEEN} other items in between if the rater had that many; "
        f"{count_in_words(raters, 'rater')} scored {count_in_words(again.count(), 'item')} again."
    )
    yield "These second scores count only in raters' agreement with themselves."


def recruitment(study: Study) -> Iterator[str]:
    for called, text in (("Recruitment", study.recruitment), ("Pay", study.pay_note)):
        if text:
            yield f"{called}: {_closed(text)}"
    yield from pace(study)


def pace(study: Study) -> Iterator[str]:
    """What raters are told of time."""
    if study.minutes_estimate:
        yield f"Raters are told that the work takes {count_in_words(study.minutes_estimate, 'minute')}."
    if study.break_every:
        yield f"Raters are reminded to take a break every {count_in_words(study.break_every, 'minute')}."


def consent(study: Study) -> Iterator[str]:
    if study.approval_number:
        yield f"Ethics approval: {_closed(study.approval_number)}"
    if study.consent_text:
        agreed = study.memberships.filter(consent_sha256=consent_fingerprint(study)).count()
        yield (
            f"Before their first item raters must agree to the consent text with SHA-256 {consent_fingerprint(study)}; "
            f"{agreed:,} did."
        )
    else:
        yield "No consent text was shown."
    scores = "kept" if study.withdrawal == Study.Withdrawal.KEEP else "removed"
    yield f"When somebody withdraws, their identity is removed and their scores are {scores}."
    if study.retention:
        yield f"Retention: {_closed(study.retention)}"


def dates(study: Study) -> Iterator[str]:
    """From launch to close, and when researchers first saw which version is which."""
    launched = f"on {on_day(study.launched_at)}" if study.launched_at else "on a day that is not known"
    yield f"The design (version {study.version}) was frozen at the launch {launched}."
    if study.plan_sha256:
        yield f"So was the plan of its analysis (SHA-256 {study.plan_sha256})."
    if pauses := events_of(study, AuditVerb.STUDY_PAUSED).count():
        yield f"Rating was paused {'once' if pauses == 1 else f'{pauses:,} times'}."
    if study.state == Study.State.CLOSED:
        yield f"Rating ended on {on_day(study.closed_at)}." if study.closed_at else "Rating has ended."
    else:
        state = "paused" if study.is_paused else "open"
        yield f"The study is still {state}, so numbers of raters and ratings may change."
    if is_ever_blind(study):
        seen = unblinded_by(study)
        yield f"The study was unblinded on {on_day(seen.at)}." if seen else "Nobody has unblinded the study."


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
