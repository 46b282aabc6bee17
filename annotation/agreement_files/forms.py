"""The form of the Agreement page: a file of ratings, and how to read it."""

from django import forms

from annotation.imported.forms import RatingsForm


class AgreementForm(RatingsForm):
    """As for an import, but for what happens with bad rows."""

    too_large = "Compute it where the file is: manage.py agreement FILE"
    skip_bad = forms.BooleanField(required=False, label="Leave out rows that cannot be read")
