"""The form of the Agreement page: a file of ratings, and how to read it."""

from django import forms

from annotation.agreement_files.reading import MOST_RATERS, MOST_READ
from annotation.imported.forms import RatingsForm


class AgreementForm(RatingsForm):
    """As for an import, but a metric need not be named, and bad rows may be skipped."""

    too_large = "Compute it where the file is: manage.py agreement FILE"
    file = forms.FileField(
        label="File",
        help_text="CSV or TSV with rater, item and value, and metric, version and background where there are any; "
        f"Label Studio JSON; JSON as USR’s or FED’s. UTF-8, whole scores, up to {MOST_READ:,} by {MOST_RATERS} raters.",
    )
    skip_bad = forms.BooleanField(required=False, label="Skip bad rows")

    field_order = ("file", "columns", "labels", "skip_bad")
