"""The step about the plan of the analysis: metrics and pairs that count as tests, size, exclusions, end."""

from dataclasses import replace
from itertools import permutations
from typing import Any

from django import forms

from annotation.design.plan import FAMILIES, POPULATIONS, STOPS, AnalysisPlan, Asked, Pair
from annotation.design.plan_record import asked_of, compared_versions, plan_of
from annotation.design.plan_values import LONGEST_TEXT, MOST_BACKGROUNDS, MOST_POINTS, MOST_RATERS
from annotation.design.step_forms import PlainText, StepForm
from annotation.models import Study

BETWEEN = ":"
AS_SENT = (
    "question", "family", "population", "raters", "backgrounds", "exclusion", "stopping", "stopping_words",
)  # fmt: skip
MARGIN_HELP = "In points of the scale. It must be written down before anybody rates. Empty: no such claim."


class PlanForm(StepForm):
    """Empty lists and texts store no plan; whatever is written must be whole."""

    question = PlainText(
        label="What you expect", rows=3, max_length=LONGEST_TEXT, help_text="A hypothesis or a question, in words."
    )
    metrics = forms.MultipleChoiceField(
        label="Primary metrics",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The few that decide. All others stay in the report, marked exploratory.",
    )
    contrasts = forms.MultipleChoiceField(
        label="Primary pairs", required=False, widget=forms.CheckboxSelectMultiple, help_text="The few that decide."
    )
    family = forms.ChoiceField(
        label="Tests corrected together",
        choices=list(FAMILIES.items()),
        widget=forms.RadioSelect,
        initial="all",
        help_text="Holm's correction runs over them; more tests make each harder to pass.",
    )
    population = forms.ChoiceField(
        label="Intervals are for",
        choices=list(POPULATIONS.items()),
        widget=forms.RadioSelect,
        initial="like",
        help_text="The second are narrower, and say nothing about anybody else. If this, the raters or the backgrounds "
        "change, the plan loses its power, which is then to be computed again.",
    )
    raters = forms.IntegerField(
        label="Raters of each dialogue",
        required=False,
        min_value=1,
        max_value=MOST_RATERS,
        help_text="If everybody scores everything: how many people that will be.",
    )
    backgrounds = forms.IntegerField(required=False, min_value=1, max_value=MOST_BACKGROUNDS)
    margin = forms.FloatField(
        label="Margin for “no worse”", required=False, max_value=MOST_POINTS, help_text=MARGIN_HELP
    )
    not_worse = forms.MultipleChoiceField(
        label="The margin is for", required=False, widget=forms.CheckboxSelectMultiple
    )
    exclusion = PlainText(
        label="Whose ratings are left out",
        rows=3,
        max_length=LONGEST_TEXT,
        help_text="The rule by which you will exclude raters by hand. Attention checks and withdrawals, which have "
        "settings of their own, are added to it. Empty: nobody is excluded by hand.",
    )
    stopping = forms.ChoiceField(
        label="The study ends", choices=list(STOPS.items()), widget=forms.RadioSelect, initial="planned"
    )
    stopping_date = forms.DateField(
        label="Its last day",
        help_text="Where a day ends it.",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    stopping_words = PlainText(label="Its rule in words", help_text="Where words do.", rows=2, max_length=LONGEST_TEXT)

    def arrange(self) -> None:
        """Offer what the study asks and compares."""
        self.asked: Asked = asked_of(self.study)
        names = {version.pk: version.symbol for version in compared_versions(self.study)}
        questions = [(metric.key, metric.name) for metric in self.study.rubric.metric_list()]
        between = "beside" if self.study.compares else "minus"
        self._offer("metrics", questions)
        pairs = [(_code(pair), f"{names[pair[1]]} {between} {names[pair[0]]}") for pair in self.asked.pairs]
        self._offer("contrasts", pairs)
        directed = [pair for pair in permutations(names, 2) if self.asked.of_both(pair)]
        self._offer(
            "not_worse", [(_code(pair), f"{names[pair[1]]} no worse than {names[pair[0]]}") for pair in directed]
        )
        if self.study.compares:
            # A comparison has no points in which one version could be worse, no p value, and intervals for its raters.
            for name in ("margin", "not_worse", "family", "population"):
                del self.fields[name]

    def parts(self) -> list[str]:
        return ["analysis_plan"]

    def values_of(self, study: Study) -> dict[str, Any]:
        plan = plan_of(study) or AnalysisPlan(raters=study.raters_per_item, backgrounds=study.background_count)
        coded = {name: list(map(_code, getattr(plan, name))) for name in ("contrasts", "not_worse")}
        usual = {"family": plan.family or "all", "population": plan.population or "like"}
        return {**plan.as_json(), **usual, **coded, "stopping_date": plan.stopping_date or None}

    def clean_margin(self) -> float | None:
        margin: float | None = self.cleaned_data["margin"]
        if margin is not None and not margin > 0:
            raise forms.ValidationError("A margin is more than 0 points.")
        return margin

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        plan = self._plan()
        if not plan.is_blank:
            for sentence in (*plan.problems(), *plan.misfits(self.asked)):
                self.add_error(None, sentence)
        return cleaned

    def changes(self) -> dict[str, Any]:
        plan = self._plan()
        return {"analysis_plan": {} if plan.is_blank else plan.as_json()}

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _plan(self) -> AnalysisPlan:
        """What was sent, with the stored power while it is that of the same numbers and the same population."""
        given, known = self.cleaned_data, plan_of(self.study)
        day = given["stopping_date"]
        as_sent: dict[str, Any] = {name: given.get(name) for name in AS_SENT}
        plan = AnalysisPlan(
            **as_sent,
            metrics=tuple(given["metrics"]),
            contrasts=tuple(map(_pair, given["contrasts"])),
            not_worse=tuple(map(_pair, given.get("not_worse", ()))),
            margin=given.get("margin"),
            stopping_date=day.isoformat() if day else "",
        )
        if known is None or known.power is None or not plan.has_size_of(known.power):
            return plan
        is_of_same = plan.population == (known.power.population or known.population or "like")
        return replace(plan, power=known.power if is_of_same else None)


def _code(pair: Pair) -> str:
    return BETWEEN.join(pair)


def _pair(code: str) -> Pair:
    first, _, second = code.partition(BETWEEN)
    return first, second
