"""The form that plans a judge run for one corpus."""

from typing import Any

from django import forms

from dialogues.coverage import coverage_of
from dialogues.forms import SourceFields
from dialogues.models import Corpus, Rubric, Version
from dialogues.sources import ANY, Sources
from generation.judgements.judge_plan import MAX_TOKENS, JudgeChoice
from generation.judgements.selection import Wanted
from generation.models import Endpoint, Prompt, Stage
from generation.plans import schema
from generation.plans.plan_form import PlanForm


class CorpusForm(forms.Form):
    """Asks first which corpus to judge."""

    corpus = forms.ModelChoiceField(Corpus.objects.listed(), label="Corpus", empty_label=None)


class JudgeForm(PlanForm, SourceFields):
    """Everything to decide before a judge run; nothing is sent by saving it."""

    name = schema.NAME.form_field(help_text="For you to find it again. No judge sees it.")
    judges = forms.ModelMultipleChoiceField(
        Endpoint.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Each judges separately and has its own table.",
    )
    rubric = forms.ModelChoiceField(
        Rubric.objects.all(),
        label="Questions",
        empty_label=None,
        help_text="The words that raters see; a judge answers them on a scale from 0 to 100.",
    )
    versions = forms.MultipleChoiceField(
        label="Versions to judge",
        widget=forms.CheckboxSelectMultiple,
        help_text="Each is judged separately. The judge is not told which it is.",
    )
    sample = schema.BACKGROUNDS.form_field()
    repeats = schema.REPEATS.form_field()
    whole = forms.BooleanField(
        label="Only backgrounds that have everything chosen",
        required=False,
        initial=True,
        help_text="So that versions are compared on the same backgrounds.",
    )
    again = schema.AGAIN.form_field()
    tidy = forms.BooleanField(
        label="Tidy spacing and capitals",
        required=False,
        initial=True,
        help_text="As raters see them. Otherwise lower case and split punctuation give the originals away.",
    )
    seed = schema.SEED.form_field(help_text="The same seed draws the same sample in the same order.")
    # `prompt` is the field by which dialogues are chosen: what they were written with.
    judge_prompt = forms.ModelChoiceField(
        Prompt.objects.kept().filter(stage=Stage.JUDGE), label="Judge’s prompt", empty_label=None
    )
    temperature = schema.TEMPERATURE.form_field(help_text="Empty leaves it to the model. At 0 repeats hardly differ.")
    max_tokens = schema.MAX_TOKENS.form_field(initial=MAX_TOKENS)

    def __init__(self, *args: Any, corpus: Corpus, sources: Sources = ANY, **kwargs: Any) -> None:
        """`sources`: the form's initial sources."""
        super().__init__(*args, **kwargs)
        self.corpus = corpus
        sources = sources.with_usual_writers(corpus)
        self.offer_sources(corpus, sources)
        coverage = coverage_of(sources.narrow(corpus.dialogues.all()))
        versions = Version.objects.filter(dialogues__corpus=corpus).distinct()
        self.fields["versions"].choices = [(row.pk, coverage.label(row)) for row in versions]  # type: ignore[attr-defined]
        defaults: dict[str, Any] = {
            "name": f"Judge {corpus.name}"[:120],
            "versions": coverage.usual(),
            "rubric": Rubric.objects.first(),
            "judge_prompt": Prompt.objects.kept().filter(stage=Stage.JUDGE).order_by("-version").first(),
        }
        if Endpoint.objects.count() == 1:
            defaults["judges"] = Endpoint.objects.all()
        self.initial = {**defaults, **self.initial}

    def choice(self) -> JudgeChoice:
        cleaned = self.cleaned_data
        wanted = Wanted(
            self.corpus,
            versions=cleaned["versions"],
            sources=self.sources(),
            sample=cleaned["sample"],
            seed=cleaned["seed"],
            whole=cleaned["whole"],
        )
        return JudgeChoice(
            wanted=wanted,
            judges=list(cleaned["judges"]),
            rubric=cleaned["rubric"],
            prompt=cleaned["judge_prompt"],
            tidy=cleaned["tidy"],
            **self.decided(schema.NAME, schema.REPEATS, schema.AGAIN, *schema.PLANNED_FIELDS),
        )
