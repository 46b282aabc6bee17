"""The lexical diversity of a study's dialogues: the paper's Figure 3 for the texts that its raters read."""

from annotation.imported.placing import NO_TEXT
from annotation.models import Item, Study
from dialogues.corpus_figures import figures_of_dialogues
from dialogues.models import Dialogue
from dialogues.statistics.figures import CorpusFigures


def study_texts(study: Study) -> CorpusFigures | None:
    """By whitespace tokens, as in Table 4; None in a study of chats, where one side of each text is a tester's."""
    if study.has_chats:
        return None
    rated = Item.objects.filter(study=study, purpose=Item.Purpose.RATED)
    rows = Dialogue.objects.filter(pk__in=rated.values("dialogue"))
    if study.selection.get("without_text"):
        rows = rows.exclude(message_count=1, messages=[[1, NO_TEXT]])
    found = figures_of_dialogues(rows, study.name, "whitespace")
    return found if found.versions else None
