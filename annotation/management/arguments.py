"""Arguments that commands share: a study, a file of ratings, and the address of this server."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from annotation.imported.rating_files import rating_columns_from
from annotation.imported.rating_rows import labels_from
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


def add_rating_file(parser: ArgumentParser) -> None:
    """FILE and how to read it: --columns, --choices and --skip-bad."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="CSV or TSV with a score a row, Label Studio JSON, USR or FED JSON"
    )
    parser.add_argument(
        "--columns",
        type=_told(rating_columns_from),
        default={},
        metavar="rater=NAME,item=NAME,metric=NAME,value=NAME",
        help="names of these columns or keys in a file that names them differently",
    )
    parser.add_argument(
        "--choices",
        type=_told(labels_from),
        default=(),
        metavar="bad,fair,good",
        help="labels of Label Studio's choices from worst to best; they become 1, 2, …",
    )
    parser.add_argument("--skip-bad", action="store_true", help="skip bad rows and read the rest")


def _told(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same for an option: what is wrong becomes its error."""

    def read_option(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error

    return read_option


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
