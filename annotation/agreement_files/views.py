"""The Agreement page: choose a file, read its tables. Neither is stored."""

from io import BytesIO
from pathlib import PurePath
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.agreement_files.forms import AgreementForm
from annotation.agreement_files.reading import ONLY_METRIC, agreement_in
from annotation.agreement_files.tables import agreement_tables
from annotation.imported.gathering import RatingsRefusedError
from annotation.imported.rating_rows import RatingChoices
from core.downloads import saved_in_page
from core.permissions import requires


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("annotation.view_study", "measure agreement")
def agreement_page(request: HttpRequest) -> HttpResponse:
    form = AgreementForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            context |= _measured(form.cleaned_data)
        except RatingsRefusedError as refused:
            form.add_error("file", str(refused))
            context |= {"bad": refused.report.bad, "hidden_bad": refused.report.refused - len(refused.report.bad)}
    return render(request, "agreement/agreement.html", context, status=422 if form.errors else 200)


def _measured(chosen: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a file; raises RatingsRefusedError."""
    upload = chosen["file"]
    choices = RatingChoices(chosen["columns"], chosen["labels"], ONLY_METRIC)
    found, measured = agreement_in(BytesIO(upload.read()), choices, skip_bad=chosen["skip_bad"])
    stem = slugify(PurePath(upload.name).stem) or "agreement"
    return {
        "found": found,
        "measured": measured,
        "file_name": upload.name,
        "aside": [(kind.replace("_", " ").capitalize(), count) for kind, count in found.report.tally.items()],
        "tables": [
            {"table": table, "saved": saved_in_page(table, f"{stem}-{table.slug}")}
            for table in agreement_tables(measured)
        ],
    }
