"""Which paragraphs the methods text of which study has."""

from collections.abc import Iterator

from annotation.design.chat_words import methods_of_chats, methods_of_systems
from annotation.design.flow import flow_of
from annotation.design.methods import analyses, items, people, record
from annotation.models import Study

DRAFT = "The study is a draft: nobody can rate in it, and its design may still change."


def methods_text(study: Study) -> str:
    """Plain text with one paragraph a subject."""
    return "\n\n".join(" ".join(sentences) for sentences in paragraphs(study)) + "\n"


def paragraphs(study: Study) -> list[list[str]]:
    """Sentences by paragraph, without empty ones."""
    found = [list(sentences) for sentences in _subjects(study)]
    return [sentences for sentences in found if sentences]


def _subjects(study: Study) -> Iterator[Iterator[str]]:
    if study.is_draft:
        yield iter([DRAFT])
        return
    flow = flow_of(study)
    if study.is_imported:
        yield items.imported(study, flow)
    elif study.has_chats:
        yield items.chats(study, flow)
        yield methods_of_systems(study)
        yield methods_of_chats(study)
    else:
        yield items.dialogues(study, flow)
    yield items.questions(study)
    if not study.is_imported:
        yield people.order(study)
    yield people.raters(study, flow)
    yield people.ratings(study, flow)
    if not study.is_imported:
        yield record.checks(study)
        yield record.repeats(study)
        yield record.recruitment(study)
        yield record.consent(study)
        yield record.dates(study)
    yield people.adjudication(study)
    yield analyses.analyses(study)
