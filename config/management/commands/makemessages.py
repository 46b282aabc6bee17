"""Collect the texts to translate; what `requires` says a person may not do is one of them."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=requires:2",
        "--keyword=refuse_without:3",
    ]
