"""The Human Evaluation Datasheet (HEDS 3.0), filled from a study's record."""

from collections.abc import Iterator

from annotation.allocation.block_state import LEASE
from annotation.chats.plan import ChatPlan
from annotation.checklists.entries import Answer, Checklist, filled, known_in_part
from annotation.checklists.heds_criteria import of_metric
from annotation.checklists.heds_questions import LAST, OF_EACH_CRITERION, ONCE
from annotation.design.chat_words import length_in_words
from annotation.design.flow import End, Flow
from annotation.design.methods import items, people, record
from annotation.design.plan import AnalysisPlan
from annotation.design.plan_record import compared_versions, plan_of
from annotation.design.plan_text import power_in_words
from annotation.models import Item, Study
from annotation.monitoring.progress import live_agreement
from annotation.reports.repeats import own_agreement
from core.numbers import count_in_words

ABOUT = (
    "Belz and Thomson (2025): HEDS 3.0, the Human Evaluation Datasheet. Questions are paraphrased under the numbers of "
    "the datasheet; part 4 is answered for each metric."
)
RANDOM, OTHER_SELECTION = "1. By simple automatic random selection", "6. Other (please describe)"
AUTOMATIC = "2. Automatic quality checking methods are used during and/or after evaluation"
MANUAL = "3. Manual quality checking methods are used during/post evaluation"
EXCLUDED = "4. Evaluators are excluded if they fail quality checks (often or badly enough)"
BROWSERS = "Web pages of the software Stephanie, in the raters’ own browsers."


def heds(study: Study, flow: Flow) -> Checklist:
    once = _answers(study, flow)
    found = {one.name: one for one in live_agreement(study)} if flow.counted else {}
    own = own_agreement(study) if flow.counted else {}
    metrics = study.rubric.metric_list()
    parts = (
        *((heading, filled(questions, once)) for heading, questions in ONCE.items()),
        *(
            (
                f"4 Quality criterion: {metric.name}",
                filled(
                    OF_EACH_CRITERION,
                    of_metric(study, metric, found.get(metric.name), own.get(metric.key)),
                    criterion=metric.name,
                ),
            )
            for metric in metrics
        ),
        *((heading, filled(questions, once)) for heading, questions in LAST.items()),
    )
    return Checklist("heds", "Human Evaluation Datasheet (HEDS 3.0)", ABOUT, parts)


def _answers(study: Study, flow: Flow) -> dict[str, Answer]:
    known = {
        "1.1.2": Answer(_experiment(study, flow)),
        "2.2": Answer(
            f"Text: dialogue. {_versions(study)}", "Say which versions people wrote: they stand in for a system."
        ),
        "3.1.1": Answer(_outputs(study, flow)),
        "3.2.1": Answer(str(flow.raters), "They are simulated: no people took part." if study.is_simulated else ""),
        "3.2.2.4": known_in_part(" ".join(people.acquainted(study)), "Yes or no."),
        "5.1": known_in_part(study.approval_number, "Name the committee."),
        "5.2": known_in_part(study.corpus.privacy_notice, "Yes or no, and how it was handled."),
    }
    plan = plan_of(study)
    known |= _power(plan)
    if not study.is_imported:
        known |= _here(study, flow, plan)
    if not (study.is_imported or study.is_simulated):
        known |= _at_work(study, flow)
    return known


def _here(study: Study, flow: Flow, plan: AnalysisPlan | None) -> dict[str, Answer]:
    """What is known of a study that was designed on this platform."""
    registered = f"An analysis plan was frozen at the launch (SHA-256 {study.plan_sha256})."
    assurance, assured = _assurance(study, flow), [*record.checks(study), *people.raters(study, flow)]
    selection = RANDOM if items.is_sample(study, flow) else OTHER_SELECTION
    return {
        "2.3": Answer("Dialogue turn generation: the systems reply in a chat.") if study.has_chats else Answer(),
        "3.1.2": Answer(" ".join(items.selection(study, flow)), choices=(selection,)),
        "3.2.2.2": known_in_part(study.pay_note, "Paid in money, paid otherwise, or not paid."),
        "3.2.3": Answer(study.recruitment),
        "3.3.1": known_in_part(registered if plan else "", "Whether it was registered, with a link."),
        "3.3.2": Answer(items.SIMULATED) if study.is_simulated else Answer(BROWSERS),
        "3.3.3.1": Answer(choices=assurance),
        "3.3.3.2": Answer(" ".join(assured)) if assurance else Answer(),
    }


def _at_work(study: Study, flow: Flow) -> dict[str, Answer]:
    """What people meet who rate on this platform."""
    return {
        "3.2.4": Answer(_training(study, flow)),
        "3.3.4.2": Answer(_shown(study)),
        "3.3.5": Answer(_freedom(study), choices=("5. None of the above (please describe)",)),
        "3.3.6": Answer(
            "They can comment on every item and flag it.",
            "Whether they were told whom to ask.",
            ("4. Other (please describe)",),
        ),
    }


def _power(plan: AnalysisPlan | None) -> dict[str, Answer]:
    if plan is None or plan.power is None:
        return {}
    return {
        "3.1.3.1": Answer(
            "Simulation of studies of the planned size, with effects of backgrounds, dialogues, raters and raters by "
            "version."
        ),
        "3.1.3.2": Answer(power_in_words(plan)),
        "3.1.3.3": Answer("The command “study power” of the software Stephanie.", "Link it."),
    }


def _experiment(study: Study, flow: Flow) -> str:
    what = items.imported if study.is_imported else items.chats if study.has_chats else items.dialogues
    about = next(what(study, flow))
    return f"The study “{study.name}” (version {study.version} of its design). {about} {next(items.questions(study))}"


def _versions(study: Study) -> str:
    called = "Systems" if study.has_chats else "Versions"
    return f"{called}: {', '.join(version.symbol for version in compared_versions(study))}."


def _outputs(study: Study, flow: Flow) -> str:
    each = "each pair of versions" if study.compares else "each system" if study.has_chats else "each version"
    return (
        f"{flow.backgrounds:,} of {each}, one a background; {flow.rated_items:,} of the {flow.items:,} items have a "
        "rating that counts."
    )


def _training(study: Study, flow: Flow) -> str:
    lessons = study.items.filter(purpose=Item.Purpose.TRAINING).count()
    practice = (
        f"{lessons:,} practice items before the first rated one{'' if study.has_chats else ', with feedback'}."
        if lessons
        else "No practice items."
    )
    written = ["Written guidelines."] if study.guidelines else []
    return " ".join([*written, practice, *record.pass_mark(study), *_failed(flow)])


def _failed(flow: Flow) -> Iterator[str]:
    if failed := flow.ends[End.FAILED_TRAINING].number:
        yield f"{count_in_words(failed, 'rater')} {'was' if failed == 1 else 'were'} screened out by this rule."


def _assurance(study: Study, flow: Flow) -> tuple[str, ...]:
    """The kinds of quality assurance that the record shows."""
    checks = study.items.filter(purpose__in=(Item.Purpose.GOLD, Item.Purpose.ATTENTION)).exists()
    screens = study.least_passed is not None or (checks and study.most_lapses is not None)
    by_hand = flow.ends[End.EXCLUDED].number > 0
    kinds = {AUTOMATIC: checks, MANUAL: by_hand, EXCLUDED: screens or by_hand}
    return tuple(kind for kind, is_used in kinds.items() if is_used)


def _shown(study: Study) -> str:
    if study.has_chats:
        what = "the theme and their own character while they chat, then the whole chat"
    elif study.compares:
        what = "two dialogues of one background side by side, its theme and characters"
    else:
        what = "one dialogue, its theme and characters"
    guidelines = ", the guidelines" if study.guidelines else ""
    seen = f"They see {what}{guidelines}, and every question with its definition and answers."
    return f"{seen} No version or writer is named."


def _freedom(study: Study) -> str:
    if study.has_chats:
        limit = length_in_words(ChatPlan.of(study.chat_plan))
    elif study.raters_per_item is not None:
        limit = f"An item that is left for {LEASE.seconds // 60} minutes may go to another rater."
    else:
        limit = "Nothing limits the time for an item."
    return " ".join(["They work when they like, and may stop and come back.", limit, *record.pace(study)])
