"""`manage.py people …`: accounts for people."""

from annotation.management.commands import invite
from core.commands import Group


class Command(Group):
    help = "Invite people to make an account."
    verbs = {"invite": invite.Command}
