"""The family of an original: the α itself and every version written from it, by who wrote them in which run."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from django.db.models import Q, QuerySet

from dialogues.models import AUTHOR, Dialogue, DialogueQuerySet
from generation.written import BRANCH, RUN

T = TypeVar("T")
# (run, which of its writers); what no run wrote came with a file.
Source = tuple[int, int]
NO_RUN: Source = (0, 0)


class Member(NamedTuple):
    """One dialogue of a family; `original` is the key of the α, its own where it is one."""

    pk: int
    original: int
    version: str
    writer: str
    source: Source
    is_original: bool


def members(rows: DialogueQuerySet) -> Iterator[Member]:
    """The dialogues of a query, oldest first, in one query and without their texts."""
    fields = rows.annotate(author=AUTHOR, by_run=RUN, by_branch=BRANCH).order_by("pk")
    names = ("pk", "origin_id", "version_id", "author", "by_run", "by_branch")
    for pk, origin, version, writer, run, branch in fields.values_list(*names).iterator():
        yield Member(pk, origin or pk, version, writer, (run, branch) if run else NO_RUN, origin is None)


def latest_whole(by_source: Mapping[Source, Mapping[str, T]], versions: Collection[str]) -> Mapping[str, T] | None:
    """What one writer of one run wrote, of those who wrote all the versions: of the latest run the first writer.

    None where no writer wrote them all. Two endpoints of one run that answer under the same name are two sources.
    """
    whole = [source for source, written in by_source.items() if set(versions) <= set(written)]
    return by_source[min(whole, key=lambda source: (-source[0], source[1]))] if whole else None


def root_of(dialogue: Dialogue) -> int:
    """The key of the dialogue's original; its own where it is one."""
    return dialogue.origin_id or dialogue.pk


def roots_of(rows: DialogueQuerySet) -> set[int]:
    """The keys of the originals of all these dialogues."""
    return {origin or pk for pk, origin in rows.values_list("pk", "origin_id")}


def in_families(roots: Iterable[int] | QuerySet[Any, Any], path: str = "") -> Q:
    """Those who belong to the families of these originals; `path` is the field that leads to the dialogue."""
    return Q(**{f"{path or 'pk'}__in": roots}) | Q(**{f"{path}__origin__in" if path else "origin__in": roots})
