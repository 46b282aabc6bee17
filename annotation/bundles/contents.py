"""The files of a study's bundle, in order: the same study gives the same bytes, whoever makes it and whenever."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from annotation.bundles.crate import ABOUT, NO_LICENCE, Described, crate
from annotation.bundles.crate import NAME as CRATE
from annotation.bundles.data import Data
from annotation.bundles.loading import Material
from annotation.bundles.materials import material_files
from annotation.bundles.program import ROOT, needed_versions, program_files
from annotation.bundles.reading import FORMAT, FORMAT_VERSION
from annotation.bundles.replicate import MANIFEST
from annotation.bundles.report_files import report_files
from annotation.bundles.table_values import table_json
from annotation.design.files import document_of, exported
from annotation.design.plan_record import plan_document
from annotation.design.plan_text import texts
from annotation.models import Study
from annotation.reports import unblinding
from annotation.reports.loading import as_planned
from annotation.reports.scores import in_order
from annotation.reports.whole import whole_report
from core.markdown import markdown_text
from dialogues.charts import FileFormat
from dialogues.rubric import to_json

File = tuple[str, Iterable[str | bytes]]
# Without PDF, whose bytes are others in every process that draws it.
FIGURE_FORMS: tuple[FileFormat, ...] = ("svg", "png")


def make_bundle(
    *, study: Study, material: Material, by: AbstractBaseUser | AnonymousUser | None, how: str
) -> Iterator[File]:
    """(path, content) of each file, the manifest last; `how` says in the audit trail why the study was unblinded."""
    unblinding.export(study=study, by=by, how=how, part="bundle")
    return _with_manifest(study, material)


def _with_manifest(study: Study, read: Material) -> Iterator[File]:
    """The files themselves, then what describes them all: the crate, and the manifest of SHA-256."""
    digests: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for path, pieces in _described(study, read):
        content = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
        digests[path], sizes[path] = hashlib.sha256(content).hexdigest(), len(content)
        yield path, [content]
    described = crate(_about(study, read), sizes).encode()
    digests[CRATE] = hashlib.sha256(described).hexdigest()
    yield CRATE, [described]
    yield MANIFEST, ["".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items()))]


def _described(study: Study, read: Material) -> Iterator[File]:
    report = whole_report(study, read.found)
    yield "README.md", [_readme(study)]
    yield "study.json", [_text(_study(study, read.data))]
    yield "design.json", [exported(study)]
    yield "rubric.json", [_text(document_of(study).to_json()["rubric"])]
    if study.analysis_plan:
        for form, text in texts(plan_document(study)).items():
            yield ("plan/plan.json" if form == "json" else f"plan/{form}.txt"), [text]
    for path, text in (*material_files(study).items(), *read.data.files()):
        yield path, [text]
    for table, _ in report.tables:
        yield f"tables/{table.slug}.json", [_text(table_json(table))]
    yield from report_files(study, "report", report, with_ratings=False, figure_forms=FIGURE_FORMS)
    for path, text in program_files():
        yield path, [text]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _study(study: Study, data: Data) -> dict[str, Any]:
    """What the program needs to know besides the data, and what a reader asks first."""
    planned = as_planned(study)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": {
            "name": study.name,
            "kind": study.kind,
            "state": study.state,
            "design_version": study.version,
            "seed": study.seed,
            "is_simulated": study.is_simulated,
            "is_imported": study.is_imported,
            "raters_per_item": study.raters_per_item,
            "counts_screened_out": study.counts_screened_out,
            "withdrawal": study.withdrawal,
            "hidden_repeats": study.hidden_repeats,
            "launched_at": study.launched_at.isoformat() if study.launched_at else None,
            "closed_at": study.closed_at.isoformat() if study.closed_at else None,
            # What the launch chose, and the numbers of versions in the orders.
            "selection": study.selection,
        },
        "scale": [study.rubric.scale_low, study.rubric.scale_high],
        "metrics": to_json(study.rubric.metric_list()),
        "versions": [{"slug": one.slug, "symbol": one.symbol, "hue": one.hue} for one in in_order(study)],
        "analysis_plan": study.analysis_plan,
        "primary": {
            "target": planned.target.value,
            "family": None if planned.family is None else sorted(map(list, planned.family)),
        },
        "raters": data.raters,
        "judges": data.judges,
        "software": {"stephanie": software_version(), **needed_versions()},
    }


def software_version() -> str:
    """The release that runs here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _about(study: Study, read: Material) -> Described:
    return Described(
        name=f"Replication bundle of the study “{study.name}”",
        description=" ".join(_standing(study)),
        changed_at=read.changed_at,
        licence=study.corpus.licence,
        software_version=software_version(),
    )


def _standing(study: Study) -> Iterator[str]:
    """What a reader must know first: what this is, who rated, and what may be shared."""
    yield "All data of a rating study of dialogues, its report, and a program that computes every figure of it again."
    if study.is_simulated:
        yield "Its ratings are simulated: a seeded program gave them, not people."
    if study.is_imported:
        yield "Its ratings were collected elsewhere, and imported."
    yield f"Licence of the dialogues: {study.corpus.licence}." if study.corpus.licence else NO_LICENCE
    if study.corpus.privacy_notice:
        yield study.corpus.privacy_notice


def _readme(study: Study) -> str:
    left_out = {"README.md", *([] if study.analysis_plan else ["plan"])}
    lines = [
        f"# {markdown_text(study.name)}",
        "",
        " ".join(markdown_text(sentence) for sentence in _standing(study)),
        "",
        "To compute every cell of the tables again, with Python 3.11 or later:",
        "",
        "    pip install -r requirements.txt",
        "    python replicate.py",
        "",
        "It names each cell that differs by more than a millionth, and each file that is not as the manifest says.",
        "",
        "| file | what it holds |",
        "|---|---|",
        *(f"| `{name}` | {what} |" for name, what in ABOUT.items() if name not in left_out),
        f"| `{CRATE}` | this bundle as an RO-Crate |",
        f"| `{MANIFEST}` | SHA-256 of every other file: `sha256sum -c {MANIFEST}` |",
        "",
        "In `data/`, raters, items, dialogues and judges have numbers; `raters.csv`, `items.csv`, `dialogues.jsonl` "
        "and `study.json` say whose. `set_aside` in `ratings.csv` says why a rating counts in no table, and is empty "
        "where it counts. `orders.csv` has the order in which each rater was given items: `turn` from 0, its `block`, "
        "and in pairs which dialogue stood left.",
        "",
    ]
    return "\n".join(lines)
