"""The rubric's form: name and scale, and a row of fields for each question."""

from typing import Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.utils.text import slugify

from annotation.design import rubrics
from annotation.design.step_forms import PlainText
from core.lines import filled_lines
from core.numbers import whole_number
from dialogues.models import Rubric, Version
from dialogues.rubric import FURTHEST, KEY, MOST_POINTS, Metric, Scale

PREFIX = "metrics"
MOST_METRICS = 30


class RubricHeadForm(forms.Form):
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(max_length=120, help_text="For you and your colleagues.")
    scale_low = forms.IntegerField(label="Lowest point", min_value=-FURTHEST, max_value=FURTHEST, initial=1)
    scale_high = forms.IntegerField(label="Highest point", min_value=-FURTHEST, max_value=FURTHEST, initial=5)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        low, high = cleaned.get("scale_low"), cleaned.get("scale_high")
        if low is not None and high is not None and not 1 <= high - low < MOST_POINTS:
            self.add_error("scale_high", f"A scale ascends and has 2 to {MOST_POINTS} points.")
        return cleaned

    def scale(self) -> Scale:
        return Scale(self.cleaned_data["scale_low"], self.cleaned_data["scale_high"])


class MetricForm(forms.Form):
    """One question; an empty row is ignored."""

    name = forms.CharField(max_length=60, help_text="What raters see above the question.")
    key = forms.CharField(
        max_length=40, required=False, help_text="Its name in exports, like on_topic. Empty: made from the name."
    )
    definition = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    low = forms.CharField(label="Word for the lowest point", max_length=120)
    high = forms.CharField(label="Word for the highest point", max_length=120)
    points = PlainText(
        label="A word for each point",
        rows=5,
        max_length=3000,
        help_text="One per line, lowest first, as many as the scale has points. Empty: only the ends have words.",
    )
    asked_for = forms.MultipleChoiceField(
        label="Asked only about",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: about every dialogue. A form that asks less about some versions tells raters which those are.",
    )
    dash_for = forms.MultipleChoiceField(
        label="Tables print a dash for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Still asked, but not reported, as the paper does with On-topic for α.",
    )

    def __init__(self, *args: Any, versions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("asked_for", "dash_for"):
            self.fields[name].choices = versions  # type: ignore[attr-defined]

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not key:
            key = slugify(str(self.cleaned_data.get("name", ""))).replace("-", "_")[:40]
        if key and not KEY.fullmatch(key):
            raise forms.ValidationError("A key begins with a letter and holds small letters, digits and _ only.")
        if not key and self.cleaned_data.get("name"):
            raise forms.ValidationError("No key can be made from this name. Give one in small letters.")
        return key

    def words(self) -> tuple[str, ...]:
        return filled_lines(self.cleaned_data["points"])

    def metric(self) -> Metric:
        given = self.cleaned_data
        return Metric(
            given["key"],
            given["name"],
            given["definition"],
            given["low"],
            given["high"],
            self.words(),
            tuple(given["dash_for"]),
            tuple(given["asked_for"]),
        )


class BaseMetrics(BaseFormSet[MetricForm]):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        if not hasattr(self, "versions"):
            self.versions = [(row.pk, f"{row.symbol} – {row.name}") for row in Version.objects.all()]
        return {**super().get_form_kwargs(index), "versions": self.versions}

    def kept(self) -> list[MetricForm]:
        """The questions, sorted by their order numbers."""
        rows = [form for form in self.forms if form.cleaned_data.get("name") and not form.cleaned_data.get("DELETE")]
        return sorted(rows, key=lambda form: form.cleaned_data.get("ORDER") or MOST_METRICS)

    def clean(self) -> None:
        if any(form.errors for form in self.forms if not form.cleaned_data.get("DELETE")):
            return
        keys = [form.cleaned_data["key"] for form in self.kept()]
        if not keys:
            raise forms.ValidationError("A rubric needs at least one question.")
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise forms.ValidationError(f"Two questions have the key {twice[0]!r}.")

    def fit(self, scale: Scale) -> bool:
        """Whether every question has a word for each point of the scale, or none; adds an error where it has not."""
        wanted = len(scale.values())
        for form in self.kept():
            if form.words() and len(form.words()) != wanted:
                form.add_error("points", f"The scale has {wanted} points; here are {len(form.words())} words.")
        return all(not form.errors for form in self.kept())


Metrics = formset_factory(
    MetricForm, formset=BaseMetrics, extra=1, can_delete=True, can_order=True, max_num=MOST_METRICS, validate_max=True,
    absolute_max=MOST_METRICS + 5,
)  # fmt: skip


class RubricEditor:
    """Both forms of a rubric as one."""

    def __init__(self, data: Any = None, rubric: Rubric | None = None) -> None:
        rows = [_row(metric) for metric in rubric.metric_list()] if rubric else []
        self.head = RubricHeadForm(data, initial=_head(rubric) if rubric else {})
        self.metrics = cast(BaseMetrics, Metrics(data, initial=rows, prefix=PREFIX))

    @classmethod
    def with_one_more(cls, data: Any) -> "RubricEditor":
        """What was typed so far, not validated, with an empty question after it."""
        number = min(whole_number(data.get(f"{PREFIX}-TOTAL_FORMS")) or 0, MOST_METRICS)
        rows = [_typed(data, f"{PREFIX}-{place}") for place in range(number)]
        editor = cls()
        editor.head = RubricHeadForm(initial={name: data.get(name, "") for name in RubricHeadForm.base_fields})
        kept = [row for row in rows if any(row.values())]
        editor.metrics = cast(BaseMetrics, Metrics(initial=kept, prefix=PREFIX))
        return editor

    def is_valid(self) -> bool:
        both = [self.head.is_valid(), self.metrics.is_valid()]
        return all(both) and self.metrics.fit(self.head.scale())

    def values(self) -> dict[str, Any]:
        """What `make_rubric` and `change_rubric` take."""
        return {
            "name": self.head.cleaned_data["name"],
            "metrics": tuple(form.metric() for form in self.metrics.kept()),
            "scale": self.head.scale(),
        }


def _head(rubric: Rubric) -> dict[str, Any]:
    parts = {part: getattr(rubric, part) for part in ("name", "scale_low", "scale_high")}
    return {**parts, "seen": rubrics.shown(rubric)}


def _row(metric: Metric) -> dict[str, Any]:
    lists = {"dash_for": list(metric.dash_for), "asked_for": list(metric.asked_for)}
    texts = {name: getattr(metric, name) for name in ("key", "name", "definition", "low", "high")}
    return {**texts, **lists, "points": "\n".join(metric.points)}


def _typed(data: Any, prefix: str) -> dict[str, Any]:
    many = {"asked_for", "dash_for"}
    return {
        name: data.getlist(f"{prefix}-{name}") if name in many else data.get(f"{prefix}-{name}", "")
        for name in MetricForm.base_fields
    }
