"""`manage.py restructuring …`: dialogues that people rewrote."""

from annotation.management.commands import export_restructurings
from core.commands import Group


class Command(Group):
    help = "Export the dialogues that people restructured."
    verbs = {"export": export_restructurings.Command}
