"""Figures of a study's dialogues, as of a corpus: the paper's Tables 4 and 5 and Figure 3 for what its raters read."""

from django.db.models import Q

from annotation.imported.placing import NO_TEXT
from annotation.models import Item, Study
from annotation.reports.text_tables import TOKENIZER
from dialogues.corpus_figures import figures_of_dialogues
from dialogues.models import Dialogue
from dialogues.statistics.figures import CorpusFigures


def study_texts(study: Study) -> CorpusFigures | None:
    """None in a study of chats, where one side of each text is a tester's."""
    if study.has_chats:
        return None
    rated = Item.objects.filter(study=study, purpose=Item.Purpose.RATED)
    shown = Q(pk__in=rated.values("dialogue"))
    if study.compares:
        shown |= Q(pk__in=rated.values("other"))
    rows = Dialogue.objects.filter(shown)
    if study.selection.get("without_text"):
        rows = rows.exclude(message_count=1, messages=[[1, NO_TEXT]])
    found = figures_of_dialogues(rows, study.name, TOKENIZER)
    return found if found.versions else None
