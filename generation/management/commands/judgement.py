"""`manage.py judgement …`: the scores that judging models gave."""

from core.commands import Group
from generation.management.commands import judge_report


class Command(Group):
    help = "Report the scores that judging models gave."
    verbs = {"report": judge_report.Command}
