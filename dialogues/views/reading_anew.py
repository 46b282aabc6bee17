"""Read an upload once more in another way: another form, other columns, other people."""

from dataclasses import dataclass, replace
from typing import Any, Self

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from core.permissions import person_of, requires
from dialogues import previews, uploads
from dialogues.formats.registry import AUTO
from dialogues.import_forms import ColumnsForm, SavedColumnsForm
from dialogues.importing import ImportRefusedError
from dialogues.models import ColumnMap
from dialogues.previews import Preview
from dialogues.reading_form import ReadingForm
from dialogues.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of a preview with which an upload is read anew; a button's name says which of them was posted."""

    reading: ReadingForm
    columns: ColumnsForm | None
    saved: SavedColumnsForm | None
    posted: str

    @classmethod
    def of(cls, request: HttpRequest, waiting: Waiting, found: Preview) -> Self:
        posted = next((name for name in ("reading", "columns", "saved") if f"by_{name}" in request.POST), "")

        def data(name: str) -> Any:
            return request.POST if posted == name else None

        choices = found.choices
        return cls(
            ReadingForm(data("reading"), waiting, found),
            ColumnsForm(data("columns"), choices, dict(waiting.columns), is_guess=waiting.is_guess)
            if choices
            else None,
            SavedColumnsForm(data("saved"), choices) if choices else None,
            posted,
        )

    @property
    def is_about_import(self) -> bool:
        return not self.posted


def read_anew(request: HttpRequest, forms: Forms, waiting: Waiting, before: Preview) -> HttpResponse | None:
    """Read by what was posted and show it; None where the form has errors, which the page then shows."""
    form = {"reading": forms.reading, "columns": forms.columns, "saved": forms.saved}[forms.posted]
    if form is None or not form.is_valid():
        return None
    changed = replace(waiting, **_changes(form, waiting))
    try:
        changed, found = previews.look(changed)
    except ImportRefusedError as refused:
        form.add_error(None, str(refused))
        return None
    if isinstance(form, ColumnsForm) and form.cleaned_data["name"] and not found.problem:
        _save_columns(request, form.cleaned_data["name"], form.columns())
    if changed.people:
        # A group that can be read now names nobody any more; its people stay in the list, to choose others.
        found.report.people |= before.report.people
    uploads.note(changed.token, found.to_json())
    changed.keep(request.session)
    return redirect("dialogues:import_preview", changed.token)


def _changes(form: ReadingForm | ColumnsForm | SavedColumnsForm, waiting: Waiting) -> dict[str, Any]:
    if isinstance(form, ReadingForm):
        changes = form.changes()
        is_other_form = changes["file_format"] != waiting.file_format
        return changes | ({"columns": {}, "is_guess": False} if is_other_form else {})
    columns = form.columns() if isinstance(form, ColumnsForm) else form.cleaned_data["saved"].columns
    return {"columns": columns, "is_guess": False, "file_format": AUTO}


def _save_columns(request: HttpRequest, name: str, columns: dict[str, str]) -> None:
    """A second click saves nothing more."""
    defaults = {"columns": columns, "created_by": person_of(request)}
    _, is_new = ColumnMap.objects.get_or_create(name=name, defaults=defaults)
    if is_new:
        messages.success(request, f"Saved this choice of columns as “{name}”.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.add_corpus", "import corpora")
def delete_columns(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """Forget a saved choice of columns, asked from the page of an upload. What was imported by it stays as it is."""
    saved = get_object_or_404(ColumnMap, pk=pk)
    if request.method == "POST":
        saved.delete()
        messages.success(request, f"Deleted the saved choice “{saved.name}”.")
        return redirect("dialogues:import_preview", token)
    return render(request, "dialogues/delete_columns.html", {"saved": saved, "token": token})
