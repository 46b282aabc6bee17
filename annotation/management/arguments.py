"""Arguments that commands share: a study, and the address of this server."""

import re
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import CommandError

from annotation.models import Study
from core.numbers import whole_number

# A server inside a house may have a name without a dot, which Django's own URL check refuses.
ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w./-]*)?")


def named_study(name: str) -> Study:
    """The study of that name, else of that number; raises CommandError with the studies there are."""
    study = Study.objects.filter(name=name).first()
    if study is None and (key := whole_number(name)) is not None:
        study = Study.objects.filter(pk=key).first()
    if study is None:
        known = ", ".join(f"{pk} ({title})" for pk, title in Study.objects.values_list("pk", "name")[:10])
        raise CommandError(f"There is no study {name!r}. {f'Studies: {known}.' if known else 'No study exists yet.'}")
    return study


def add_base_url(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--base-url",
        default=next(iter(settings.CSRF_TRUSTED_ORIGINS), ""),
        help="where people reach this server, like https://stephanie.example.org "
        "(default: the first of CSRF_TRUSTED_ORIGINS)",
    )


def refuse_bad_base(base: str) -> None:
    """Raise CommandError for an address that would make a useless link."""
    if not ADDRESS.fullmatch(base):
        raise CommandError("Name the server's address with --base-url, like https://stephanie.example.org")
