"""Responses that are files: their types and names, tables in each form, and the CSV that the reader's program wants."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode

from core.latex import to_latex
from core.latex_layout import Fit
from core.markdown import to_markdown
from core.spreadsheets import EXCEL, PLAIN, CsvForm
from core.tables import Table, to_csv

Response = TypeVar("Response", bound=HttpResponseBase)

JSON_LINES = "application/x-ndjson"
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "tex": "application/x-tex; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "jsonl": f"{JSON_LINES}; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "png": "image/png",
    "zip": "application/zip",
}
TABLE_WRITERS: dict[str, Callable[[HttpRequest, Table], str]] = {
    "csv": lambda request, table: to_csv(table, csv_form(request)),
    "tex": lambda request, table: to_latex(table, latex_fit(request)),
    "md": lambda _, table: to_markdown(table),
}
TABLE_FORMS = tuple(TABLE_WRITERS)
EXCEL_PARAMETER = "excel"
FIT_PARAMETER = "fit"
FIT_LABELS: dict[Fit, str] = {"column": "LaTeX, one column", "page": "LaTeX, across the page"}


def attached(response: Response, name: str) -> Response:
    """Make the browser save the response under this name, which must be ASCII."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def inline(content: str | bytes, form: str) -> HttpResponse:
    """Content for the page itself; `form` is the extension that its file would have."""
    return HttpResponse(content, content_type=CONTENT_TYPES[form])


def whole_file(content: str | bytes, name: str) -> HttpResponse:
    """A file to save; its type follows from the extension of its name."""
    return attached(inline(content, _extension(name)), name)


def streamed_file(pieces: Iterable[str] | Iterable[bytes], name: str) -> StreamingHttpResponse:
    """A file to save that is sent while it is being written."""
    return attached(StreamingHttpResponse(pieces, content_type=CONTENT_TYPES[_extension(name)]), name)


def table_file(request: HttpRequest, table: Table | None, form: str, stem: str) -> HttpResponse:
    """The table as a file in one of TABLE_FORMS; 404 if there is no table or no such form."""
    if table is None or form not in TABLE_WRITERS:
        raise Http404("There is no such table.")
    return whole_file(TABLE_WRITERS[form](request, table), f"{stem}.{form}")


class Saved(NamedTuple):
    """A file that stands in the page itself: the label of its link, the file as an address, and its name."""

    label: str
    url: str
    name: str


def saved_in_page(table: Table, stem: str) -> dict[str, Any]:
    """The table's files as addresses that hold them, for a page whose tables are stored nowhere.

    `plain` are one a form, `latex` one a width, `excel` the CSV in each form for Excel.
    """
    texts = {"CSV": (to_csv(table), "csv"), "Markdown": (to_markdown(table), "md")}
    plain = [_saved(label, text, stem, extension) for label, (text, extension) in texts.items()]
    latex = [_saved(label, to_latex(table, fit), stem, "tex") for fit, label in FIT_LABELS.items()]
    excel = [_saved(form.label, to_csv(table, form), stem, "csv") for form in EXCEL.values()]
    return {"plain": plain, "latex": latex, "excel": excel}


def _saved(label: str, text: str, stem: str, extension: str) -> Saved:
    return Saved(label, _data_url(text, extension), f"{stem}.{extension}")


def _data_url(text: str, extension: str) -> str:
    kind = CONTENT_TYPES[extension].replace(" ", "")
    return f"data:{kind};base64,{b64encode(text.encode()).decode()}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2]


def csv_form(request: HttpRequest) -> CsvForm:
    """The form that the address asks for; plain CSV if it names none or an unknown one."""
    return EXCEL.get(request.GET.get(EXCEL_PARAMETER, ""), PLAIN)


def latex_fit(request: HttpRequest) -> Fit:
    """The width that the address asks for; a column if it names none or an unknown one."""
    return "page" if request.GET.get(FIT_PARAMETER) == "page" else "column"


def latex_links(url: str) -> list[tuple[str, str]]:
    """(label, address) of the LaTeX file at `url` for each width."""
    return [(label, _with(url, FIT_PARAMETER, fit)) for fit, label in FIT_LABELS.items()]


def excel_links(url: str) -> list[tuple[str, str]]:
    """(label, address) of each form for Excel of the CSV file at `url`."""
    return [(form.label, _with(url, EXCEL_PARAMETER, name)) for name, form in EXCEL.items()]


def _with(url: str, parameter: str, value: str) -> str:
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}{urlencode({parameter: value})}"
