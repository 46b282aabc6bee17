"""A study's report in one ZIP, and its replication bundle."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from annotation.bundles.contents import make_bundle
from annotation.bundles.loading import NoBundleError, material_at_once
from annotation.bundles.report_files import report_files
from annotation.reports import unblinding
from annotation.reports.views import Shown, file_name, studied, wait
from annotation.reports.whole import found_at_once, whole_report
from core.archives import zipped
from core.downloads import streamed_file
from core.permissions import requires


@require_GET
@requires("annotation.view_study", "read reports")
def study_report_zip(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Everything that the report shows, and the ratings for whoever may have them."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    answered = found_at_once(study)
    if answered.found is None:
        return wait(request, study, answered)
    with_ratings = request.user.has_perm("annotation.view_rating")
    if with_ratings:
        unblinding.export(study=study, by=request.user, how="exported ratings")
    report = whole_report(study, answered.found, **Shown.of(request)._asdict())
    stem = file_name(study, "report", answered.as_of)
    return streamed_file(zipped(report_files(study, stem, report, with_ratings=with_ratings)), f"{stem}.zip")


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
