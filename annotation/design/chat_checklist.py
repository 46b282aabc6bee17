"""What a draft of a chat study still lacks: what prevents its launch, and what a reviewer would ask."""

from collections.abc import Iterator, Sequence

from annotation.chats.beginning import MODES, has_examples
from annotation.chats.plan import ChatPlan
from annotation.design.problems import Problem
from annotation.design.selection import Selection
from annotation.models import Study
from annotation.models.studies import ChatSystem
from generation.models import Endpoint
from generation.training import delimiter as delimiters

# A preference at the end is between so many.
COMPARED = 2


def chat_musts(study: Study, selection: Selection | None) -> Iterator[Problem]:
    """Without a selection, which reads the whole corpus, problems with backgrounds are left out."""
    systems = list(study.systems.select_related("endpoint", "version"))
    if not systems:
        yield Problem("Choose the systems that testers chat with.", "systems")
    for system in systems:
        yield from _problems_of(system)
    if selection is not None and not selection.choices:
        yield Problem("No original of the corpus has a theme or characters to chat about.", "systems")
    plan = ChatPlan.of(study.chat_plan)
    for sentence in plan.problems():
        yield Problem(sentence, "conversation")
    if plan.asks_preference and len(systems) != COMPARED:
        yield Problem(
            f"Testers are asked which of {COMPARED} systems they preferred, and this study has {len(systems)}.",
            "conversation",
        )
    if study.raters_per_item is None:
        yield Problem("Say how many chats each system has about each background.", "raters")


def chat_shoulds(study: Study) -> Iterator[Problem]:
    plan = ChatPlan.of(study.chat_plan)
    endpoints = list(Endpoint.objects.filter(chat_systems__study=study).distinct())
    if study.systems.count() == 1:
        yield Problem("With one system there is nothing to compare it with.", "systems")
    yield from _costs(plan, endpoints)
    if unchecked := [endpoint.name for endpoint in endpoints if not endpoint.check_passed]:
        yield Problem(f"Check that these endpoints answer: {', '.join(unchecked)}.", "systems")
    if not plan.practice:
        yield Problem("A practice chat shows testers the page before anything counts.", "conversation")
    if not plan.most_turns and not plan.minutes:
        yield Problem("Without a limit of turns or minutes a chat can go on for ever.", "conversation")


def _problems_of(system: ChatSystem) -> Iterator[Problem]:
    if system.mode not in MODES:
        yield Problem(f"{system}: choose how it is asked.", "systems")
    elif system.mode != "plain" and (flaw := delimiters.problem(system.delimiter)):
        yield Problem(f"{system}: {flaw}", "systems")
    if system.mode == "prompted" and not has_examples():
        yield Problem(f"{system} is prompted with step-by-step examples, and there are none here.", "systems")
    if system.endpoint.encrypted_key and not system.endpoint.has_key:
        yield Problem(
            f"{system}: the key of the endpoint {system.endpoint} was given for another address. Enter it again.",
            "systems",
        )


def _costs(plan: ChatPlan, endpoints: Sequence[Endpoint]) -> Iterator[Problem]:
    paid = [endpoint.name for endpoint in endpoints if not endpoint.is_free]
    if paid and plan.budget is None:
        yield Problem(f"Nothing limits what all chats together may cost: {', '.join(paid)}.", "conversation")
    if paid and plan.chat_cap is None:
        yield Problem("Nothing limits what one chat may cost.", "conversation")
    # Whoever asks for a key usually asks for money.
    if unknown := [endpoint.name for endpoint in endpoints if endpoint.is_free and endpoint.has_key]:
        yield Problem(f"No price is known, so no limit holds: {', '.join(unknown)}.", "systems")
