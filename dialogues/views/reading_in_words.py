"""What an import has read, as a page says it."""

from collections.abc import Mapping
from typing import Any

from dialogues.formats.records import BadRecord
from dialogues.formats.registry import FORMATS
from dialogues.import_report import LONGEST_RUN, Report, tally_words
from dialogues.previews import Preview

_SET_ASIDE = "set_aside"


def in_words(found: Preview) -> dict[str, Any]:
    """Values for `import_preview.html`."""
    report = found.report
    form = FORMATS.get(report.file_format)
    return {
        "format_label": form.label if form else "",
        "is_private": found.is_private,
        "runs": _runs(report),
        "longer": sum(count for length, count in report.runs.items() if length > 1),
        "longer_share": _share(sum(count for length, count in report.runs.items() if length > 1), report.turns),
        "roles": report.role_map,
        "facts": report.facts,
        "questions": _whole_chat_refused(found),
        "set_aside": [line for line in tally_lines(report.tally) if is_set_aside(line[0])],
        "lines": [line for line in tally_lines(report.tally) if not is_set_aside(line[0])],
        "hidden_bad": report.refused - len(report.bad),
    }


def tally_lines(reading: Mapping[str, int | None]) -> list[tuple[str, int]]:
    """A tally's names as a page writes them, with their counts; facts, which have none, are left out."""
    counted = ((name, count) for name, count in reading.items() if count is not None)
    return [(tally_words(name).capitalize(), count) for name, count in counted]


def facts_of(reading: Mapping[str, int | None]) -> list[str]:
    """What a corpus keeps of how its file was read that is no count."""
    return [fact for fact, count in reading.items() if count is None]


def is_set_aside(words: str) -> bool:
    return _SET_ASIDE.replace("_", " ") in words.lower()


def _whole_chat_refused(found: Preview) -> list[BadRecord]:
    """Why nothing of a private chat can be read as it stands: its people, its dates or its length, told at once."""
    report = found.report
    return report.bad if found.is_private and not report.dialogues and report.refused <= 2 else []


def _runs(report: Report) -> list[dict[str, Any]]:
    """Turns by how many messages they have, up to the longest that there is."""
    lengths = range(1, max(report.runs, default=0) + 1)
    return [
        {
            "label": f"{length} and more" if length == LONGEST_RUN else str(length),
            "turns": report.runs[length],
            "share": _share(report.runs[length], report.turns),
        }
        for length in lengths
    ]


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
