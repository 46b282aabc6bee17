"""Forms of the pages of example sets."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import QuerySet

from core.lines import filled_lines
from dialogues.models import Corpus, Version
from generation.curation.content import FIELDS, MOST_TRAITS, PAIRS, TOPIC_LENGTH, Content, ContentError
from generation.curation.files import MOST_MEGABYTES
from generation.curation.plain_text import PlainTextError, from_text, to_text
from generation.curation.provenance import content_of, corpora_and_runs
from generation.models import Example, ExampleKind, ExampleSet, Run

LONGEST_TEXT = 200_000
HOW_TO_WRITE = "One message per line: “A: text” or “B: text”. A line that begins with | continues the message above."


class Paragraphs(forms.CharField):
    """Text from a box, with line ends as they are stored."""

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}), **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class OnceForm(forms.Form):
    """Identifies one form as it was filled in, so that a second click finds the set that the first one made."""

    once = forms.CharField(required=False, max_length=40, initial=lambda: str(uuid4()), widget=forms.HiddenInput)


class SetForm(OnceForm):
    """A set's name and note, and the kind of a new set."""

    kind = forms.ChoiceField(choices=ExampleKind.choices, widget=forms.RadioSelect, initial=ExampleKind.STEP_BY_STEP)
    name = forms.CharField(max_length=120, help_text="A name that exists already gets its next version.")
    note = Paragraphs(rows=3, max_length=5000, help_text="What this set is meant to show a model.")

    def __init__(self, *args: Any, with_kind: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_kind:
            del self.fields["kind"], self.fields["once"]


class CloneForm(OnceForm):
    name = forms.CharField(max_length=120, help_text="The same name makes its next version, another one a version 1.")


class LinesField(forms.CharField):
    """Several texts, one on each line, such as traits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
            help_text="One a line.", **kwargs,
        )  # fmt: skip

    def clean(self, value: Any) -> tuple[str, ...]:
        found = filled_lines(str(super().clean(value)))
        if len(found) > MOST_TRAITS:
            raise forms.ValidationError(f"At most {MOST_TRAITS} traits.")
        return found


class BesideForm(forms.Form):
    """The theme, traits, topic and note of an example."""

    theme = Paragraphs(rows=3, max_length=20_000, help_text="What the dialogue is about, in 50 to 100 words.")
    traits_1 = LinesField(label="Traits of A")
    traits_2 = LinesField(label="Traits of B")
    topic = forms.CharField(
        required=False, max_length=TOPIC_LENGTH, help_text="A word or two, to see the balance of a set."
    )
    note = Paragraphs(rows=2, label="Why it is here", max_length=5000, help_text="For people; no model sees it.")

    def beside(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in BesideForm.base_fields}


class DialogueBox(forms.CharField):
    """A dialogue as plain text; cleans to a Transcript."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 14, "dir": "auto", "class": "dialogue-box"})
        super().__init__(strip=False, max_length=LONGEST_TEXT, widget=widget, help_text=HOW_TO_WRITE, **kwargs)

    def clean(self, value: Any) -> Any:
        try:
            return from_text(super().clean(value))
        except PlainTextError as error:
            raise forms.ValidationError(error.problems) from error


class ExampleForm(BesideForm):
    """An example as a person writes it: its text or texts, theme, traits, topic and note."""

    field_order = ("messages", "messages_after", *BesideForm.base_fields)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31)
    messages = DialogueBox(label="Dialogue")
    messages_after = DialogueBox(label="After")

    def __init__(self, kind: str, data: Any = None, *, example: Example | None = None) -> None:
        super().__init__(data, initial=None if example is None else values_of(example))
        self.kind, self.example = kind, example
        if kind == PAIRS:
            self.fields["messages"].label = "Before"
        else:
            del self.fields["messages_after"]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        given |= dict(self._left_alone(given))
        given["content"] = Content(given["messages"], given.get("messages_after"), **self.beside())
        try:
            given["content"].check_kind(self.kind)
        except ContentError as error:
            self.add_error(field_of(error, self), f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return given

    def _left_alone(self, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Unchanged fields keep even what a box cannot show: bare returns, spaces at the ends."""
        if self.example is None:
            return
        stored = content_of(self.example)
        for name in FIELDS:
            if name in self.fields and self.fields[name].clean(self.initial[name]) == given[name]:
                yield name, getattr(stored, name)

    @property
    def content(self) -> Content:
        """The content as typed, checked."""
        content: Content = self.cleaned_data["content"]
        return content


def values_of(example: Example) -> dict[str, Any]:
    """An example as the form shows it."""
    content = content_of(example)
    after = content.messages_after
    return {
        "revision": example.revision,
        "messages": to_text(content.messages),
        "messages_after": to_text(after) if after else "",
        "theme": example.theme,
        "traits_1": "\n".join(example.traits_1),
        "traits_2": "\n".join(example.traits_2),
        "topic": example.topic,
        "note": example.note,
    }


def field_of(error: ContentError, form: forms.Form) -> str | None:
    return error.about if error.about in form.fields else None


class SearchForm(forms.Form):
    """Where to look for a dialogue."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in zip(("corpus", "run"), corpora_and_runs(), strict=True):
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    corpus = forms.ModelChoiceField(Corpus.objects.none(), required=False, empty_label="Any corpus")
    run = forms.ModelChoiceField(Run.objects.none(), required=False, label="Written by run", empty_label="Any or none")
    version = forms.ModelChoiceField(Version.objects.all(), required=False, empty_label="Any version")
    q = forms.CharField(required=False, max_length=200, label="Search", widget=forms.SearchInput)


class ImportForm(OnceForm):
    file = forms.FileField(label="File", help_text=f"JSON as an export writes it, at most {MOST_MEGABYTES} MB.")
    name = forms.CharField(max_length=120, required=False, help_text="Empty: the name that the file gives.")


class WindowForm(forms.Form):
    """How many tokens a model's context window holds."""

    window = forms.IntegerField(label="Context window, tokens", min_value=512, max_value=10_000_000)


class CompareForm(forms.Form):
    """Another version or set of the same kind."""

    other = forms.ModelChoiceField(ExampleSet.objects.none(), required=False, label="Compare with", empty_label=None)

    def __init__(self, others: QuerySet[ExampleSet], data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.fields["other"].queryset = others  # type: ignore[attr-defined]

    def chosen(self) -> ExampleSet | None:
        self.is_valid()
        return self.cleaned_data.get("other")
