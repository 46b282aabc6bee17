"""What files leave as: their types and names, tables in each form, and which CSV the reader's program wants."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode

from core.latex import to_latex
from core.spreadsheets import EXCEL, PLAIN, CsvForm
from core.tables import Table, to_csv

Response = TypeVar("Response", bound=HttpResponseBase)

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "tex": "application/x-tex; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
WRITERS: dict[str, Callable[[HttpRequest, Table], str]] = {
    "csv": lambda request, table: to_csv(table, csv_form(request)),
    "tex": lambda _, table: to_latex(table),
}
TABLE_FORMS = tuple(WRITERS)
EXCEL_PARAMETER = "excel"


def attached(response: Response, name: str) -> Response:
    """Saved as a file of this name, which is ASCII."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def text_file(content: str, name: str) -> HttpResponse:
    """A whole text; the end of its name says of which type."""
    return attached(HttpResponse(content, content_type=_content_type(name)), name)


def streamed_file(pieces: Iterable[str], name: str) -> StreamingHttpResponse:
    """A text that is written while it is read."""
    return attached(StreamingHttpResponse(pieces, content_type=_content_type(name)), name)


def table_file(request: HttpRequest, table: Table | None, form: str, stem: str) -> HttpResponse:
    """The table to keep, as `csv` or `tex`; 404 where there is none or the form is another."""
    if table is None or form not in WRITERS:
        raise Http404("There is no such table.")
    return text_file(WRITERS[form](request, table), f"{stem}.{form}")


def _content_type(name: str) -> str:
    return CONTENT_TYPES[name.rpartition(".")[2]]


def csv_form(request: HttpRequest) -> CsvForm:
    """The form that the address asks for; plain where it names none, or one that there is not."""
    return EXCEL.get(request.GET.get(EXCEL_PARAMETER, ""), PLAIN)


def excel_links(url: str) -> list[tuple[str, str]]:
    """The addresses of a CSV file's forms for Excel, each with its label."""
    mark = "&" if "?" in url else "?"
    return [(form.label, f"{url}{mark}{urlencode({EXCEL_PARAMETER: name})}") for name, form in EXCEL.items()]
