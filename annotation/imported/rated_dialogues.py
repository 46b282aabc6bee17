"""The dialogues that imported ratings are of: those of a corpus that is here, or new ones in a corpus of their own."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils.text import slugify

from annotation.imported.gathering import Gathered, RatingsRefusedError
from annotation.imported.placing import Placed, keys_of, placed
from core.database import bulk
from dialogues.audit import AuditVerb
from dialogues.formats.reading import first_of, quoted
from dialogues.models import AuditEvent, Corpus, Dialogue, Version
from dialogues.transcript import Transcript

BATCH = 1000
# On SQLite Django counts on at most 999 values in one query.
KEYS_AT_ONCE = 500
# The version of items of which the file names none.
UNNAMED = "not-told-apart"
# Leaves room for a number behind it.
LONGEST_SLUG = 36


@dataclass(frozen=True, slots=True)
class RatedDialogues:
    """For each item of the file, in its order: the dialogue and its background, both as stored."""

    corpus: Corpus
    dialogues: list[Dialogue]
    without_text: int

    def slugs(self) -> list[str]:
        return sorted({row.version_id for row in self.dialogues})

    def conditions(self) -> list[int]:
        """The number of each item's version, from 1."""
        numbers = {slug: number for number, slug in enumerate(self.slugs(), 1)}
        return [numbers[row.version_id] for row in self.dialogues]

    def counts(self) -> dict[str, Any]:
        """As launch counts what it selects."""
        backgrounds = len({row.origin_id or row.pk for row in self.dialogues})
        return {
            "items": len(self.dialogues),
            "backgrounds": backgrounds,
            "complete": backgrounds,
            "incomplete": 0,
            "demo": sum(row.is_demo for row in self.dialogues),
            "conditions": self.slugs(),
            "families": backgrounds,
            "without_text": self.without_text,
        }


def stored_dialogues(name: str, found: Gathered) -> RatedDialogues:
    """The dialogues of an existing corpus; raises RatingsRefusedError for what it does not have."""
    corpus = Corpus.objects.listed().filter(name=name).first()
    if corpus is None:
        raise RatingsRefusedError(
            f"There is no corpus “{quoted(name)}”. Choose one that exists, or none.", found.report
        )
    keys = keys_of(found.items)
    rows = _by_key(corpus, keys)
    if missing := [quoted(key) for key in keys if key not in rows]:
        raise RatingsRefusedError(
            f"The corpus “{corpus.name}” has no dialogue {first_of(missing)}. The file must name each item's dialogue "
            "by its key, in the column dialogue or, without one, as the item.",
            found.report,
        )
    for key, of in zip(keys, found.items, strict=True):
        if of.version and of.version != rows[key].version_id and slugify(of.version) != rows[key].version_id:
            raise RatingsRefusedError(
                f"The dialogue {quoted(key)} is the version {rows[key].version_id} of the corpus, and the file says "
                f"“{quoted(of.version)}”. Name its key in the column dialogue.",
                found.report,
            )
    return RatedDialogues(corpus, [rows[key] for key in keys], 0)


def _by_key(corpus: Corpus, keys: Sequence[str]) -> dict[str, Dialogue]:
    rows = corpus.dialogues.select_related("origin").defer("messages", "times", "origin__messages", "origin__times")
    return {row.key: row for batch in batches(keys, KEYS_AT_ONCE) for row in rows.filter(key__in=batch)}


def new_dialogues(name: str, file_name: str, found: Gathered, by: Any) -> RatedDialogues:
    """A corpus of what was rated, with the texts that the file has."""
    corpus = Corpus.objects.create(
        name=name,
        description="Dialogues of imported ratings.",
        file_name=file_name,
        file_format="ratings",
        created_by=by,
    )
    wanted = list(placed(found.items))
    slugs = _versions(dict.fromkeys(row.version or "" for row in wanted))
    without_text = 0
    pks: dict[str, int] = {}
    for batch in batches(wanted, BATCH):
        # What belongs to a background comes behind all backgrounds.
        for origins in (True, False):
            rows = [row for row in batch if (not row.origin) is origins]
            bulk.insert([_dialogue(corpus, row, slugs, pks) for row in rows])
            pks |= _pks(corpus, rows)
        without_text += sum(row.version is not None and not row.has_text for row in batch)
    keys = keys_of(found.items)
    known = _by_key(corpus, keys)
    AuditEvent.record(by, AuditVerb.CORPUS_IMPORTED, corpus, name=name, dialogues=len(pks), file_name=file_name)
    return RatedDialogues(corpus, [known[key] for key in keys], without_text)


def _pks(corpus: Corpus, rows: Sequence[Placed]) -> dict[str, int]:
    found = Dialogue.objects.filter(corpus=corpus)
    keys = [row.key for row in rows]
    return {
        key: pk
        for batch in batches(keys, KEYS_AT_ONCE)
        for key, pk in found.filter(key__in=batch).values_list("key", "pk")
    }


def _dialogue(corpus: Corpus, row: Placed, slugs: dict[str, str], pks: dict[str, int]) -> Dialogue:
    return Dialogue.from_transcript(
        Transcript.of(row.messages),
        corpus_id=corpus.pk,
        key=row.key,
        version_id=slugs[row.version or ""],
        origin_id=pks[row.origin] if row.origin else None,
        theme=row.theme,
    )


def _versions(names: Iterable[str]) -> dict[str, str]:
    """The slug of each version that the file names, made where it is unknown; "" is `UNNAMED`."""
    slugs: dict[str, str] = {}
    symbols: list[str] = []
    for name in names:
        if name:
            symbols.append(_symbol(name, symbols))
            slugs[name] = _version(name, symbols[-1], slugs.values())
        else:
            fields = {"symbol": "not told apart", "name": "Imported, versions not told apart", "position": 200}
            slugs[name] = Version.objects.get_or_create(slug=UNNAMED, defaults=fields)[0].pk
    return slugs


def _symbol(name: str, taken: Sequence[str]) -> str:
    """At most 20 letters, by which tables tell the versions of one file apart."""
    symbol = name if len(name) <= 20 else f"{name[:19].rstrip()}…"
    return f"{name[:14].rstrip()}… {len(taken) + 1}" if symbol in taken else symbol


def _version(name: str, symbol: str, taken: Iterable[str]) -> str:
    """The stored version of this name; two names of one file never share one."""
    base = _slug(name)
    number = 1
    slug = base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    fields = {"symbol": symbol, "name": name[:100], "description": "A system of imported ratings.", "position": 200}
    return Version.objects.get_or_create(slug=slug, defaults=fields)[0].pk


def _slug(name: str) -> str:
    """The name of a version that is here, or one made of this name alone: names that no slug can show have a hash."""
    if Version.objects.filter(pk=name).exists():
        return name
    slug = slugify(name)
    if slug and len(slug) <= LONGEST_SLUG:
        return slug
    return f"{slug[:24].strip('-') or 'system'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch
