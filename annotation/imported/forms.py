"""The two forms of an import of ratings: the file, and the study to make of it."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from annotation.imported.rating_files import rating_columns_from
from annotation.imported.rating_rows import labels_from
from dialogues.models import Corpus

# A request imports the file itself, in one transaction: more would keep its sender and SQLite's other writers waiting.
MOST_MB = 8


class RatingsForm(forms.Form):
    """Step one: the file, and how to read it. `too_large` says what to do with a larger file than a page takes."""

    too_large = "Import it on the server: manage.py study import-ratings FILE --name NAME"
    file = forms.FileField(
        label="File",
        help_text="CSV or TSV with rater, item, metric and value; Label Studio JSON; JSON as USR’s or FED’s. UTF-8.",
    )
    columns = forms.CharField(
        required=False,
        max_length=400,
        label="Columns",
        help_text="If the file names them differently: rater=worker, item=hit, metric=question, value=answer.",
    )
    labels = forms.CharField(
        required=False,
        max_length=400,
        label="Labels from worst to best",
        help_text="If Label Studio’s choices are words, such as bad, fair, good. They become 1, 2, 3.",
    )

    def clean_file(self) -> "UploadedFile[Any]":
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        limit = min(settings.MAX_UPLOAD_MB, MOST_MB)
        if (upload.size or 0) > limit * 2**20:
            raise forms.ValidationError(f"The file is larger than {limit} MB. {self.too_large}")
        return upload

    def clean_columns(self) -> dict[str, str]:
        try:
            return rating_columns_from(self.cleaned_data["columns"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_labels(self) -> tuple[str, ...]:
        try:
            return labels_from(self.cleaned_data["labels"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class StudyForm(forms.Form):
    """Step two: the study's name and whose dialogues were rated; `skip_bad` is asked only if rows are bad."""

    name = forms.CharField(label="Name of the study", max_length=120)
    corpus = forms.ModelChoiceField(
        Corpus.objects.none(),
        required=False,
        label="Corpus of the rated dialogues",
        empty_label="Make one from the file",
        help_text="If the dialogues are here already, the file must name their keys, as dialogue or as item.",
    )
    skip_bad = forms.BooleanField(required=True)

    def __init__(self, data: Any = None, *, bad: int, file_name: str) -> None:
        super().__init__(data, initial={"name": PurePath(file_name).stem[:120]})
        corpora: Any = self.fields["corpus"]
        corpora.queryset = Corpus.objects.listed().order_by("name")
        if bad:
            self.fields["skip_bad"].label = f"Leave out the {bad:,} bad row{'s' if bad > 1 else ''}"
        else:
            del self.fields["skip_bad"]
