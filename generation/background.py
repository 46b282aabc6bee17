"""The background of a dialogue: the theme and the characters that a model or a rater sees beside it.

Whoever shows a dialogue has an order of preference. Each order is one function here:

- a run writes on the theme it made, else on the earlier one it was given, else on what the dialogue holds;
- a judge sees the background that the dialogue was written on, else what the dialogue or its family brought along;
- a study shows the theme that was written for the versions and the characters of the original;
- an example takes the background its run made, else the dialogue's own, else its original's;
- training takes the background that the dialogue was written on, else what its family brought along, else what a run
  made last.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialogues.models import Corpus, Dialogue
from generation import prompts
from generation.families import NO_RUN, RUN, Member, in_families, root_of
from generation.models import Background, RunDialogue

Told = Dialogue | Background | prompts.Background


def first_told(themes: Iterable[Told], traits: Iterable[Told]) -> prompts.Background:
    """The first theme and each speaker's first characters, in order of preference; empty where none has any."""
    told = list(traits)
    return prompts.Background(
        next((one.theme for one in themes if one.theme), ""),
        next((one.traits_1 for one in told if one.traits_1), []),
        next((one.traits_2 for one in told if one.traits_2), []),
    )


def run_backgrounds(
    runs: Collection[int], dialogues: Collection[int], *, made: bool = True
) -> dict[tuple[int, int], Background]:
    """By run and dialogue the background that the run made, else the earlier one it was given.

    `made=False` saves the query where no run has a theme stage.
    """
    places = {"run__in": runs, "dialogue__in": dialogues}
    given = RunDialogue.objects.filter(background__isnull=False, **places).select_related("background")
    found = {(row.run_id, row.dialogue_id): row.background for row in given if row.background}
    if made:
        found |= {(row.run_id, row.dialogue_id): row for row in Background.objects.filter(**places)}
    return found


def inherited_backgrounds(keys: Collection[int]) -> Mapping[int, prompts.Background]:
    """For each dialogue its own theme, else the first in its family; characters are the original's where it has any.

    Dialogues never change and families only grow, so the answer stays what it was. Two queries.
    """
    if not keys:
        return {}
    fields = ("pk", "origin_id", "theme", "traits_1", "traits_2")
    rows = list(Dialogue.objects.filter(pk__in=keys).only(*fields))
    families: dict[int, list[Dialogue]] = defaultdict(list)
    for row in Dialogue.objects.filter(in_families({root_of(row) for row in rows})).only(*fields).order_by("pk"):
        families[root_of(row)].append(row)
    found = {}
    for row in rows:
        family = families[root_of(row)]
        # The original comes first in its family.
        found[row.pk] = first_told([row, *family], [*family[:1], row, *family])
    return found


def training_backgrounds(rows: Sequence[Dialogue]) -> Mapping[int, prompts.Background]:
    """For each dialogue the background its run wrote it on, else `inherited_backgrounds`, else the last a run made.

    A few queries, however many dialogues.
    """
    keys, roots = [row.pk for row in rows], {root_of(row) for row in rows}
    inherited = inherited_backgrounds(keys)
    writing = Dialogue.objects.filter(pk__in=keys).annotate(by_run=RUN).exclude(by_run=None)
    runs = dict(writing.order_by().values_list("pk", "by_run"))
    written_on = run_backgrounds(set(runs.values()), roots) if runs else {}
    latest = {one.dialogue_id: one for one in Background.objects.filter(dialogue__in=roots).order_by("pk")}
    found = {}
    for row in rows:
        root = root_of(row)
        own, made = written_on.get((runs.get(row.pk, 0), root)), latest.get(root)
        told = [one for one in (own, inherited[row.pk], made) if one is not None]
        found[row.pk] = first_told(told, told)
    return found


def study_background(original: Dialogue, donor: Dialogue) -> tuple[str, list[str], list[str]]:
    """Theme and traits shown with every version: the donor's theme, the original's characters.

    Each falls back on the other dialogue where the first has none.
    """
    found = first_told([donor, original], [original, donor])
    return found.theme, list(found.traits_1), list(found.traits_2)


def theme_donor(dialogue: Dialogue, other: Dialogue | None) -> Dialogue:
    """Whose theme a single item shows: the first of its dialogues that has one, else the newest version's."""
    with_theme = [row for row in (dialogue, other) if row and row.theme]
    if with_theme:
        return with_theme[0]
    versions = Dialogue.objects.filter(origin_id=root_of(dialogue)).exclude(theme="")
    return versions.order_by("-pk").first() or dialogue


def example_background(dialogue: Dialogue) -> prompts.Background:
    """The background its run wrote it on, else its own, else its original's; both characters from one of them."""
    output = getattr(dialogue, "output", None)
    origin = dialogue.origin or dialogue
    run = output.call.run_id if output else None
    made = Background.objects.filter(run=run, dialogue=origin).first() if run else None
    told: list[Dialogue | Background] = [one for one in (made, dialogue, origin) if one is not None]
    return first_told(told, [next((one for one in told if one.traits_1 or one.traits_2), dialogue)])


@dataclass(frozen=True, slots=True)
class JudgedThemes:
    """The themes of a corpus: those that runs made, and those that dialogues hold themselves."""

    by_run: Mapping[tuple[int, int], int]  # (run, original): background
    latest: Mapping[int, int]  # original: background
    own: Collection[int]  # dialogues
    families: Collection[int]  # originals

    @classmethod
    def of(cls, corpus: Corpus, runs: Collection[int]) -> "JudgedThemes":
        """`runs` are those that wrote what is to be judged."""
        used = RunDialogue.objects.filter(run__in=runs, background__isnull=False)
        by_run = {(run, original): pk for run, original, pk in used.values_list("run", "dialogue", "background")}
        latest = {}
        made = Background.objects.filter(dialogue__corpus=corpus).order_by("pk")
        for run, original, pk in made.values_list("run", "dialogue", "pk").iterator():
            by_run[run, original] = latest[original] = pk
        own = Dialogue.objects.filter(corpus=corpus).exclude(theme="").values_list("pk", "origin_id")
        texts = {pk: origin or pk for pk, origin in own.iterator()}
        return cls(by_run, latest, texts.keys(), set(texts.values()))

    def has(self, original: int) -> bool:
        """Whether the family has a theme at all."""
        return original in self.families or original in self.latest

    def shown(self, rows: Sequence[Member]) -> list[tuple[Member, int | None]]:
        """For each dialogue of a family the background it was written on.

        A dialogue that was written on none is shown the one of the last that was; if none was, the theme that the
        family brought along (None), else the latest that a run made.
        """
        written_on = [self.by_run.get((row.source[0], row.original)) for row in rows]
        original = rows[0].original
        donor = next(filter(None, reversed(written_on)), None)
        other = donor if donor or original in self.families else self.latest.get(original)
        return [
            (row, background or (None if row.pk in self.own and not row.is_original else other))
            for row, background in zip(rows, written_on, strict=True)
        ]


def writing_runs(rows: Iterable[Member]) -> set[int]:
    """The runs that wrote any of them."""
    return {row.source[0] for row in rows if row.source != NO_RUN}
