"""Make a study of ratings that were collected elsewhere: all of a file, or nothing."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.imported import rating_files
from annotation.imported.gathering import NO_LIMIT, Gathered, RatingsRefusedError, Report, RowLimit, gather
from annotation.imported.placing import PlacingError
from annotation.imported.questions import questions_of
from annotation.imported.rated_dialogues import BATCH, RatedDialogues, batches, new_dialogues, stored_dialogues
from annotation.imported.rating_rows import AS_IT_COMES, RatingChoices
from annotation.imported.score_rows import store_scores
from annotation.models import Item, Membership, Profile, Study
from annotation.roles import Role
from core.database import bulk
from dialogues.audit import AuditVerb
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.models import AuditEvent, Corpus, Dialogue, Rubric, Version
from dialogues.rubric import to_json

FILE_NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class RatingSource:
    """A file on disk, its name as the user knows it, and how to read it."""

    path: Path
    file_name: str
    choices: RatingChoices = AS_IT_COMES


@dataclass(frozen=True, slots=True)
class ImportedRatings:
    study: Study
    found: Gathered


def read_ratings(source: RatingSource) -> Gathered:
    """As `read_scores` does, from a file on disk."""
    with source.path.open("rb") as stream:
        return read_scores(stream, source.choices)


def read_scores(stream: BinaryIO, choices: RatingChoices, limit: RowLimit = NO_LIMIT) -> Gathered:
    """Every score of the file, without storing any; raises RatingsRefusedError if it cannot be read or holds none."""
    report, file = Report(), FileLines(stream)
    try:
        form = rating_files.recognised(file, has_columns=bool(choices.columns))
        report.form = form.label
        found = gather(form.read(file, choices), report, limit)
    except UnreadableFileError as error:
        raise RatingsRefusedError(str(error), report) from error
    if form.has_places_for_raters:
        report.count("raters_told_apart_by_place_in_lists", found.raters)
    if not (report.scores or report.refused):
        raise RatingsRefusedError("The file holds no score.", report)
    return found


def import_ratings(
    *, name: str, file: RatingSource, by: Any, corpus: str = "", skip_bad: bool = False
) -> ImportedRatings:
    """Make the closed study `name` of a file's ratings; raises RatingsRefusedError.

    With `corpus`, the items are dialogues of that corpus by their keys; otherwise a corpus of the study's name is made.
    """
    name = name.strip()
    _refuse_name(name, makes_corpus=not corpus)
    found = read_ratings(file)
    if found.report.refused and not skip_bad:
        raise RatingsRefusedError(bad_sentence(found.report.refused, "imported"), found.report)
    if not found.report.scores:
        raise RatingsRefusedError("The file holds no score that could be imported.", found.report)
    with file.path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        return ImportedRatings(_store(name, file, sha256, found, corpus, by), found)
    except PlacingError as error:
        raise RatingsRefusedError(str(error), found.report) from error
    except IntegrityError:
        # Somebody took the name since we looked.
        _refuse_name(name, makes_corpus=not corpus)
        raise


def study_of_file(sha256: str) -> Study | None:
    """The newest study that was imported from a file of these bytes."""
    events = AuditEvent.objects.filter(verb=AuditVerb.RATINGS_IMPORTED, detail__sha256=sha256)
    key = events.values_list("subject", flat=True).first()
    return Study.objects.filter(pk=key.partition(":")[2]).first() if key else None


@transaction.atomic
def _store(name: str, file: RatingSource, sha256: str, found: Gathered, corpus: str, by: Any) -> Study:
    now = timezone.now()
    file_name = file.file_name.encode(errors="replace").decode()[:FILE_NAME_LENGTH]
    kept = stored_dialogues(corpus, found) if corpus else new_dialogues(name, file_name, found, by)
    rubric = _make_rubric(name, found, now)
    study = Study.objects.create(
        name=name,
        corpus=kept.corpus,
        rubric=rubric,
        # From the file, so that the same file gives the same intervals.
        seed=int(sha256[:8], 16),
        is_imported=True,
        is_simulated=found.is_simulated,
        state=Study.State.CLOSED,
        tidy_display=False,
        selection=kept.counts(),
        created_by=by,
        closed_at=now,
    )
    study.versions.set(Version.objects.filter(pk__in=kept.slugs()))
    items, raters = _make_items(study, kept), _make_raters(study, found, now)
    store_scores(study, found, items, raters, [one.key for one in rubric.metric_list()], kept.conditions())
    facts = {"file_name": file_name, "sha256": sha256, "corpus": kept.corpus.name, **found.counts()}
    AuditEvent.record(by, AuditVerb.RATINGS_IMPORTED, study, **facts)
    return study


def _make_rubric(name: str, found: Gathered, now: datetime) -> Rubric:
    """Questions of its own, frozen, on a scale that holds those of all metrics."""
    lows, highs = found.low.tolist(), found.high.tolist()
    return Rubric.objects.create(
        slug=f"imported-{token_hex(6)}",
        name=f"Questions of {name}"[:120],
        metrics=to_json(questions_of(found.metrics, lows, highs)),
        scale_low=min(lows),
        scale_high=max(highs),
        frozen_at=now,
    )


def _make_items(study: Study, kept: RatedDialogues) -> list[int]:
    """The keys of the items, in the file's order."""
    numbered = enumerate(kept.dialogues)
    for batch in batches(numbered, BATCH):
        bulk.insert([_item(study, position, row) for position, row in batch])
    return list(study.items.order_by("position").values_list("pk", flat=True))


def _item(study: Study, position: int, dialogue: Dialogue) -> Item:
    background = dialogue.origin or dialogue
    return Item(
        study=study,
        dialogue_id=dialogue.pk,
        background_id=background.pk,
        theme=background.theme,
        traits_1=background.traits_1,
        traits_2=background.traits_2,
        position=position,
    )


def _make_raters(study: Study, found: Gathered, now: datetime) -> list[int]:
    """Members whose accounts nobody can log in to, numbered as they come in the file; its own names are not kept."""
    names = [f"imported-{study.pk}-{number}" for number in range(1, found.raters + 1)]
    nobodys = make_password(None)
    users = User.objects.bulk_create(
        [User(username=name, is_active=False, password=nobodys, date_joined=now) for name in names], batch_size=BATCH
    )
    group = Group.objects.get(name=Role.RATER.value)
    User.groups.through.objects.bulk_create(
        [User.groups.through(user=user, group=group) for user in users], batch_size=BATCH
    )
    Profile.objects.bulk_create(
        [
            Profile(user=user, pseudonym=name, is_imported=True, is_simulated=found.is_simulated)
            for user, name in zip(users, names, strict=True)
        ],
        batch_size=BATCH,
    )
    members = Membership.objects.bulk_create(
        [Membership(study=study, rater=user, seed=number) for number, user in enumerate(users, 1)], batch_size=BATCH
    )
    return [member.pk for member in members]


def _refuse_name(name: str, *, makes_corpus: bool) -> None:
    if not name or len(name) > 120 or not name.isprintable():
        raise RatingsRefusedError("The study needs a name of 1 to 120 printable characters.")
    if Study.objects.filter(name=name).exists():
        raise RatingsRefusedError(f"A study named “{name}” already exists. Choose another name.")
    if makes_corpus and Corpus.objects.filter(name=name).exists():
        raise RatingsRefusedError(
            f"A corpus named “{name}” exists, and an import never adds to one. Choose another name for the study, or "
            "name the corpus if it holds the rated dialogues."
        )


def bad_sentence(count: int, done: str) -> str:
    """Why nothing was `done` with a file that has `count` bad rows."""
    number = "One row is bad" if count == 1 else f"{count:,} rows are bad"
    return f"{number}, so nothing was {done}. Mend the file, or skip bad rows."
