"""All of a study's report in one ZIP: what was found, every table and figure in every form, the checklists, and the
ratings.
"""

from collections.abc import Iterable, Iterator

from annotation.checklists.documents import checklist_files
from annotation.design.flow import flow_of
from annotation.design.methods import methods_text
from annotation.models import Study
from annotation.reports.exports import ratings_csv
from annotation.reports.figures import drawable
from annotation.reports.flow_figure import SLUG as FLOW
from annotation.reports.flow_figure import flow_spec, flow_table
from annotation.reports.plan_departures import departures
from annotation.reports.whole import WholeReport
from core.latex import document as latex_document
from core.latex import to_latex
from core.markdown import markdown_text, to_markdown
from core.tables import to_csv
from dialogues.charts import FILE_FORMATS, THEMES, FileFormat, on_paper, rendered

File = tuple[str, Iterable[str | bytes]]


def report_files(
    study: Study,
    folder: str,
    report: WholeReport,
    *,
    with_ratings: bool,
    figure_forms: Iterable[FileFormat] = FILE_FORMATS,
) -> Iterator[File]:
    """(path below `folder`, content), made one after the other.

    LaTeX is there for a column and for a page, with a document that shows all tables.
    """
    yield f"{folder}/README.md", [_readme(study, report.sentences)]
    yield f"{folder}/methods.txt", [methods_text(study)]
    for name, text in checklist_files(study).items():
        yield f"{folder}/checklists/{name}", [text]
    flow = flow_of(study)
    flow_rows = flow_table(study, flow)
    names: list[str] = []
    for shown, marked in [*report.tables, (flow_rows, flow_rows)]:
        yield f"{folder}/tables/{shown.slug}.csv", [to_csv(marked)]
        yield f"{folder}/tables/{shown.slug}.tex", [to_latex(shown)]
        yield f"{folder}/tables/{shown.slug}-page.tex", [to_latex(shown, "page")]
        yield f"{folder}/tables/{shown.slug}.md", [to_markdown(shown)]
        names.append(f"tables/{shown.slug}")
    yield f"{folder}/tables.tex", [latex_document(names)]
    theme, found = THEMES["light"], report.found
    drawn = {FLOW: flow_spec(study, flow, theme)}
    drawn |= {slug: figure.draw(study, found, theme) for slug, figure in drawable(found).items()}
    for slug, figure in drawn.items():
        spec = on_paper(figure, theme)
        for form in figure_forms:
            yield f"{folder}/figures/{slug}.{form}", [rendered(spec, form)[0]]
    if with_ratings:
        yield f"{folder}/ratings.csv", ratings_csv(study)


def _readme(study: Study, sentences: Iterable[str]) -> str:
    """What was found, and where the study departed from its plan."""
    lines = [f"# {markdown_text(study.name)}", "", " ".join(markdown_text(one) for one in sentences), ""]
    if left := departures(study):
        lines += ["## Plan and departures", "", *(f"- {markdown_text(one)}" for one in left), ""]
    return "\n".join(lines)
