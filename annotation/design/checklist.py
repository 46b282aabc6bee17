"""The check-list of a draft: what must be fixed before launch, and what a reviewer would ask for."""

import re
from collections.abc import Iterable, Iterator

from annotation.allocation.repeats import ITEMS_A_REPEAT
from annotation.allocation.slots import expected_share
from annotation.design.chat_checklist import chat_musts, chat_shoulds
from annotation.design.plan_record import asked_of, plan_of
from annotation.design.problems import Problem
from annotation.design.selection import Selection
from annotation.models import Item, Study
from core.numbers import count_in_words

PLACE_TO_FILL = re.compile(r"\[[^\[\]\n]{1,200}\]")
ONE_RATER = "With one rater per item there is no agreement to report. Two is the minimum; three is usual."
ONE_CHAT = (
    "With one chat of each system about each background, nothing tells differences between testers from those between "
    "chats. Two is the minimum."
)


def musts(study: Study, selection: Selection | None) -> list[Problem]:
    """What prevents launching. Without a selection, which reads the whole corpus, problems with items are left out."""
    if study.has_chats:
        return [*chat_musts(study, selection), *_questions(study), *_texts(study), *_plan(study, selection)]
    checks = study.items.exclude(purpose=Item.Purpose.RATED).select_related("background", "dialogue", "other")
    found = [*(_items(study, selection) if selection else ()), *_questions(study)]
    known = list(checks)
    return [*found, *_expectations(study, known), *_pass_mark(study, known), *_texts(study), *_plan(study, selection)]


def shoulds(study: Study) -> list[Problem]:
    """What a reader, a reviewer or an ethics board will ask for; empty for the simulator's studies."""
    if study.is_simulated:
        return []
    if study.has_chats:
        return [*chat_shoulds(study), *_raters(study), *_unplanned(study), *_record(study), *_balance(study)]
    purposes = set(study.items.exclude(purpose=Item.Purpose.RATED).values_list("purpose", flat=True))
    quality = _quality(study, purposes)
    return [*_raters(study), *quality, *_unplanned(study), *_record(study), *_balance(study)]


def _items(study: Study, selection: Selection) -> Iterator[Problem]:
    if study.compares and not selection.pairs:
        yield Problem("Choose at least one pair of versions.", "items")
    elif not selection.choices and selection.complete and selection.set_aside == selection.complete:
        yield Problem("Every complete background is used for training or checks, so nothing is left to rate.", "checks")
    elif not selection.items:
        yield Problem(
            "No background has every chosen version. Choose fewer versions, or generate the missing ones.", "items"
        )
    else:
        yield from _repeats(study, expected_share(study, selection.items))


def _repeats(study: Study, each: int) -> Iterator[Problem]:
    """`each` is about how many items a rater gets."""
    most = each // ITEMS_A_REPEAT
    if study.hidden_repeats > most:
        yield Problem(
            f"Hidden repeats per rater: at most {most}, because each scores about {each:,} items, and at most one in "
            f"{ITEMS_A_REPEAT} is repeated.",
            "checks",
        )


def _questions(study: Study) -> Iterator[Problem]:
    if not study.rubric.metric_list():
        yield Problem("The rubric has no questions.", "rubric")
        return
    for shown in _shown_together(study):
        if not study.rubric.metrics_for(*shown):
            yield Problem(f"The rubric asks nothing about {' and '.join(shown)}.", "rubric")


def _shown_together(study: Study) -> list[tuple[str, ...]]:
    """The versions that an item can show: one, or two in a study of pairs."""
    if study.has_chats:
        return [(system.version_id,) for system in study.systems.all()]
    return [tuple(pair) for pair in study.pairs] if study.compares else [(row.pk,) for row in study.versions.all()]


def _expectations(study: Study, checks: Iterable[Item]) -> Iterator[Problem]:
    keys = {metric.key for metric in study.rubric.metric_list()}
    scale = range(-1, 2) if study.compares else study.rubric.scale.values()
    wrong = {"elsewhere": 0, "kind": 0, "questions": 0, "unasked": 0, "points": 0}
    for item in checks:
        wrong["elsewhere"] += item.background.corpus_id != study.corpus_id
        wrong["kind"] += study.compares != (item.other_id is not None)
        wrong["questions"] += not set(item.expected) <= keys
        wrong["unasked"] += not set(item.expected) & keys <= item.expects(study.rubric).keys()
        wrong["points"] += any(value not in scale for value in item.expected.values())
    sentences = {
        "elsewhere": "come from another corpus than the study's",
        "kind": "do not fit the kind of study",
        "questions": "expect answers to questions that the rubric does not have",
        "unasked": "expect answers to questions that are not asked about what they show",
        "points": "expect points that are not on the scale",
    }
    for name, count in wrong.items():
        if count:
            yield Problem(f"Training, gold or attention items that {sentences[name]}: {count}.", "checks")


def _pass_mark(study: Study, checks: Iterable[Item]) -> Iterator[Problem]:
    lessons = [item for item in checks if item.purpose == Item.Purpose.TRAINING]
    if study.least_passed is None:
        return
    if study.least_passed > len(lessons):
        there = count_in_words(len(lessons), "training item")
        yield Problem(
            f"Training items that must be scored as expected: at most as many as there are, {there}. Lower the number, "
            "or empty it.",
            "checks",
        )
    elif unmarked := sum(not item.expected for item in lessons):
        yield Problem(
            f"Training items that expect no score, so that nobody can fail them: {unmarked:,}. Give them expected "
            "scores, or empty the pass mark.",
            "checks",
        )


def _texts(study: Study) -> Iterator[Problem]:
    if found := PLACE_TO_FILL.search(study.consent_text):
        yield Problem(f"The consent text still has a place to fill in: {found.group()}", "words")


def _plan(study: Study, selection: Selection | None) -> Iterator[Problem]:
    plan = plan_of(study)
    if plan is None:
        return
    there = len(selection.choices) if selection else study.background_count
    for sentence in (*plan.problems(), *plan.misfits(asked_of(study)), *plan.miscounts(study.raters_per_item, there)):
        yield Problem(sentence, "analysis")


def _unplanned(study: Study) -> Iterator[Problem]:
    plan = plan_of(study)
    if plan is None:
        yield Problem("Without an analysis plan everything in the report is exploratory.", "analysis")
    elif plan.power is None and not study.compares:
        yield Problem("Compute the power that the plan has.", "analysis")


def _raters(study: Study) -> Iterator[Problem]:
    if study.raters_per_item == 1:
        yield Problem(ONE_CHAT if study.has_chats else ONE_RATER, "raters")
    if study.minutes_estimate is None:
        yield Problem("Say how long it takes; raters are told before they agree.", "raters")
    if not study.pay_note:
        yield Problem("Say what raters are paid, or that they are not.", "raters")


def _record(study: Study) -> Iterator[Problem]:
    if not study.guidelines:
        yield Problem("Without guidelines every rater uses the scale in their own way.", "words")
    if not study.consent_text:
        yield Problem("Without a consent text nobody is asked whether they agree.", "words")
    if not study.approval_number:
        yield Problem("Enter the ethics approval, or why none is needed.", "ethics")
    if not study.recruitment:
        yield Problem("Say who is asked to rate, and how.", "ethics")
    if not study.retention:
        yield Problem("Say what is kept, for how long, and where.", "ethics")


def _quality(study: Study, purposes: set[str]) -> Iterator[Problem]:
    if Item.Purpose.TRAINING not in purposes:
        yield Problem("Training items show raters how to use the scale.", "checks")
    if Item.Purpose.GOLD not in purposes:
        yield Problem("Gold items show whether raters keep using the scale as trained.", "checks")
    if Item.Purpose.ATTENTION not in purposes:
        yield Problem("Attention checks show whether raters read carefully.", "checks")
    elif study.most_lapses is None:
        yield Problem("Decide how many attention checks a rater may fail; for now nobody is screened out.", "checks")
    elif study.counts_screened_out:
        yield Problem("The scores of raters who fail the attention checks will count. Say why in the report.", "checks")


def _balance(study: Study) -> Iterator[Problem]:
    asked = {tuple(metric.key for metric in study.rubric.metrics_for(*shown)) for shown in _shown_together(study)}
    if len(asked) > 1:
        what = "pairs of versions" if study.compares else "systems" if study.has_chats else "versions"
        shown = "chats" if study.has_chats else "dialogues"
        yield Problem(
            f"The rubric asks less about some {what}: the shorter form tells raters which {shown} those are.", "rubric"
        )
