"""`manage.py corpus …`: import, measure, export and split corpora."""

from core.commands import Group
from dialogues.management.commands import corpus_stats, export_dialogues, import_dialogues, split_baseline


class Command(Group):
    help = "Import, measure and export corpora."
    verbs = {
        "import": import_dialogues.Command,
        "stats": corpus_stats.Command,
        "export": export_dialogues.Command,
        "split-baseline": split_baseline.Command,
    }
