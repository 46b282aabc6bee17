"""Forms of an import: the file, how to read it, its columns, and what the corpus says about itself."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from dialogues import privacy
from dialogues.formats.column_choices import Column, ColumnChoices
from dialogues.formats.columns import NESTED, OPTIONAL, REQUIRED, columns_from
from dialogues.formats.registry import AUTO
from dialogues.models import ColumnMap, Corpus, PersonalData
from dialogues.previews import Preview
from dialogues.reading_form import FORMAT_CHOICES
from dialogues.waiting import Waiting

COLUMN_LABELS = {
    NESTED: "List of messages",
    "dialogue_id": "Dialogue",
    "speaker": "Speaker",
    "text": "Text",
    "order": "Order",
    "time": "Time",
    "theme": "Theme",
    "traits_1": "Traits of A",
    "traits_2": "Traits of B",
}
COLUMN_HELP = {
    NESTED: "If one object holds a whole dialogue.",
    "dialogue_id": "Alike in all messages of one dialogue.",
    "order": "The place of a message in its dialogue.",
}


KINDS = {kind: words.capitalize() for kind, words in privacy.IN_WORDS.items()}
EXAMPLE_LETTERS, OPTION_LETTERS = 80, 30


class UploadForm(forms.Form):
    """Step one: the file."""

    file = forms.FileField(label="File")
    file_format = forms.ChoiceField(label="Format", choices=FORMAT_CHOICES, initial=AUTO, required=False)
    columns = forms.CharField(
        required=False,
        max_length=400,
        label="Columns",
        help_text="Which column or key holds what: dialogue_id=conv_id, speaker=who, text=utterance. "
        "You can also choose them after the file is read.",
    )
    deduplicate = forms.BooleanField(
        required=False,
        label="Leave out repeated dialogues",
        help_text="For ConvAI2's training file, which holds every dialogue twice, once from each side.",
    )

    @property
    def further(self) -> list[forms.BoundField]:
        return [self[name] for name in ("file_format", "columns", "deduplicate")]

    def clean_file(self) -> "UploadedFile[Any]":
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        if (upload.size or 0) > settings.MAX_UPLOAD_MB * 2**20:
            raise forms.ValidationError(
                f"The file is larger than {settings.MAX_UPLOAD_MB} MB. Import it on the server: "
                "manage.py corpus import FILE --corpus NAME"
            )
        return upload

    def clean_file_format(self) -> str:
        return self.cleaned_data["file_format"] or AUTO

    def clean_columns(self) -> dict[str, str]:
        try:
            return columns_from(self.cleaned_data["columns"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class ColumnsForm(forms.Form):
    """Which column or key holds what; `name` saves the choice to read other files of this kind."""

    def __init__(self, data: Any, choices: ColumnChoices, chosen: dict[str, str], *, is_guess: bool) -> None:
        initial = dict(choices.guess) if is_guess or not chosen else chosen
        # The form below it on the page has a name, too.
        super().__init__(data, initial=initial, auto_id="id_columns_%s")
        self.guessed = choices.guess if is_guess or not chosen else {}
        for key in _offered(choices):
            self.fields[key] = forms.ChoiceField(
                label=COLUMN_LABELS[key],
                help_text=COLUMN_HELP.get(key, ""),
                required=key in REQUIRED and not (key == "dialogue_id" and choices.lists),
                choices=_options(key, choices),
                error_messages={"required": f"Choose the column of the {COLUMN_LABELS[key].lower()}."},
            )
        self.fields["name"] = forms.CharField(
            required=False,
            max_length=ColumnMap._meta.get_field("name").max_length,
            label="Save this choice as",
            help_text="A name under which it reads other files of this kind, here and by --mapping.",
        )

    def clean(self) -> dict[str, Any]:
        columns = self.columns()
        if NESTED not in columns and "dialogue_id" not in columns and "dialogue_id" not in self.errors:
            self.add_error("dialogue_id", "Choose the column that says which messages belong to one dialogue.")
        for key in columns:
            twins = [COLUMN_LABELS[one] for one in columns if columns[one] == columns[key]]
            if len(twins) > 1 and key not in self.errors and NESTED not in columns:
                self.add_error(key, f"One column is chosen twice: {' and '.join(twins)}.")
        self._refuse_taken(self.cleaned_data.get("name", ""), columns)
        return self.cleaned_data

    def _refuse_taken(self, name: str, columns: dict[str, str]) -> None:
        """The same choice under the same name is a second click."""
        saved = ColumnMap.objects.filter(name=name).first() if name else None
        if saved and saved.columns != columns:
            self.add_error("name", f"“{name}” is there already. Choose another name, or delete that one first.")

    def columns(self) -> dict[str, str]:
        return {key: self.cleaned_data[key] for key in COLUMN_LABELS if self.cleaned_data.get(key)}

    @property
    def choosing(self) -> list[tuple[forms.BoundField, bool]]:
        """The fields of columns, and whether the value of each is a guess."""
        return [
            (self[key], self[key].value() == self.guessed.get(key, "")) for key in COLUMN_LABELS if key in self.fields
        ]


class SavedColumnsForm(forms.Form):
    """A saved choice of columns to read an upload by; only those that its columns allow."""

    saved = forms.ModelChoiceField(ColumnMap.objects.none(), label="Saved choice", empty_label=None)

    def __init__(self, data: Any, choices: ColumnChoices) -> None:
        super().__init__(data)
        names = {column.name.lower() for columns in (choices.columns, *choices.lists.values()) for column in columns}
        names |= {name.lower() for name in choices.lists}
        fitting = [
            one.pk for one in ColumnMap.objects.all() if {name.lower() for name in one.columns.values()} <= names
        ]
        self.fields["saved"].queryset = ColumnMap.objects.filter(pk__in=fitting)  # type: ignore[attr-defined]
        self.saved_ones = ColumnMap.objects.filter(pk__in=fitting)


class ConfirmForm(forms.ModelForm[Corpus]):
    """Step two: the corpus's name and facts, and what is masked; it asks only what this file makes a question."""

    mask = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    keep_names = forms.BooleanField(required=False)
    skip_bad = forms.BooleanField(required=True)

    class Meta:
        model = Corpus
        fields = ("name", "description", "source", "licence", "personal_data", "consent")
        error_messages = {"name": {"unique": "A corpus of this name exists or is being imported. Choose another name."}}
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}
        labels = {"personal_data": "Personal data"}
        help_texts = {
            "licence": "Under which the dialogues may be used, such as CC BY 4.0.",
            "personal_data": "Whether people can be recognised in it.",
            "consent": "What the people agreed to, and how.",
        }

    def __init__(self, data: Any, waiting: Waiting, found: Preview) -> None:
        mask = found.default_mask() if waiting.mask is None else waiting.mask
        initial = {"name": PurePath(waiting.file_name).stem[:120], "mask": mask}
        if found.is_private:
            initial["personal_data"] = PersonalData.YES
        super().__init__(data, initial=initial)
        self._found = found
        self.fields["personal_data"].choices = [("", "Not said"), *PersonalData.choices]  # type: ignore[attr-defined]
        self._ask_about_privacy(found)
        self._ask_about_bad(found.report.refused)

    def clean(self) -> dict[str, Any]:
        chosen: dict[str, Any] = super().clean() or self.cleaned_data
        shown = [KINDS[kind].lower() for kind in self._found.kinds if kind not in chosen.get("mask", ())]
        if self._found.is_private and shown and chosen.get("personal_data") == PersonalData.NO:
            self.add_error("personal_data", f"It holds {', '.join(shown)}. Mask these, or say yes.")
        return chosen

    def _ask_about_privacy(self, found: Preview) -> None:
        counts = found.findings.counts
        mask = [(kind, f"{KINDS[kind]} ({counts[kind]:,})") for kind in found.kinds]
        self.fields["mask"].choices = mask  # type: ignore[attr-defined]
        if not mask:
            del self.fields["mask"]
        names = found.report.role_map
        if found.is_private and names:
            self.fields["keep_names"].label = f"Keep who is who: A is {names['1']}, B is {names['2']}"
        else:
            del self.fields["keep_names"]
        if found.is_private:
            self.fields["consent"].label = "Did everybody who speaks here agree? To what, and how do you know?"

    def _ask_about_bad(self, bad: int) -> None:
        if bad:
            self.fields["skip_bad"].label = f"Leave out the {bad:,} bad record{'s' if bad > 1 else ''}"
        else:
            del self.fields["skip_bad"]

    @property
    def about(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "description", "source", "licence")]

    @property
    def masking(self) -> list[tuple[Any, list[tuple[str, str]]]]:
        """The checkbox of each kind of personal data, and examples of what it becomes."""
        options = list(self["mask"]) if "mask" in self.fields else []
        return [(option, self._shown(option.data["value"])) for option in options]

    def _shown(self, kind: str) -> list[tuple[str, str]]:
        becomes = "[A] or [B]" if kind == privacy.NAME else privacy.Found(kind, 0, 0).mask()
        return [(example[:EXAMPLE_LETTERS], becomes) for example in self._found.findings.examples[kind]]

    @property
    def mask_now(self) -> tuple[str, ...]:
        """What is masked as the form stands; kinds that the file does not have are left out."""
        if "mask" not in self.fields:
            return ()
        offered = [kind for kind, _ in self.fields["mask"].choices]  # type: ignore[attr-defined]
        return tuple(kind for kind in offered if kind in (self["mask"].value() or ()))


def _offered(choices: ColumnChoices) -> list[str]:
    return [*([NESTED] if choices.lists else []), *REQUIRED, *OPTIONAL]


def _options(key: str, choices: ColumnChoices) -> list[Any]:
    none = ("", "–")
    if key == NESTED:
        return [none, *((name, name) for name in choices.lists)]
    of_file = _pairs(choices.columns)
    inner = [(f"In each of {name}", _pairs(columns)) for name, columns in choices.lists.items()]
    if key in ("speaker", "text", "time") and inner:
        return [none, *inner, *([("In each object", of_file)] if of_file else [])]
    return [none, *of_file]


def _pairs(columns: tuple[Column, ...]) -> list[tuple[str, str]]:
    """The first value stands beside the name: on a phone it is what one chooses by."""
    return [
        (one.name, f"{one.name} · {one.samples[0][:OPTION_LETTERS]}" if one.samples else one.name) for one in columns
    ]
