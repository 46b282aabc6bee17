"""The bundle of a study as a file."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from annotation.bundles.contents import make_bundle
from annotation.bundles.loading import NoBundleError, material_at_once
from annotation.reports import unblinding
from annotation.reports.views import file_name, studied, wait
from core.archives import zipped
from core.downloads import streamed_file
from core.permissions import requires


@require_GET
@requires("annotation.view_rating", "export ratings")
def study_bundle(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All data, the report, and what computes it again; blocked like the report while the study is blind."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    try:
        answered = material_at_once(study)
    except NoBundleError as refusal:
        messages.error(request, str(refusal))
        return redirect("study_report", pk)
    if answered.found is None:
        return wait(request, study, answered, "Replication bundle")
    files = make_bundle(study=study, material=answered.found, by=request.user, how="made a replication bundle")
    return streamed_file(zipped(files), f"{file_name(study, 'bundle')}.zip")
