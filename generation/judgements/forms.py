"""The form that plans a judge run for one corpus."""

from decimal import Decimal
from typing import Any

from django import forms

from dialogues.coverage import coverage_of
from dialogues.models import Corpus, Rubric, Version
from dialogues.source_fields import SourceFields
from dialogues.sources import ANY, Sources
from generation.judgements.judge_plan import MOST_REPEATS, JudgeChoice
from generation.judgements.selection import Wanted
from generation.models import Endpoint, Prompt, Run, Stage


class CorpusForm(forms.Form):
    """The first question: whose dialogues."""

    corpus = forms.ModelChoiceField(Corpus.objects.listed(), label="Corpus", empty_label=None)


class JudgeForm(SourceFields):
    """Everything to decide before a judge run; nothing is sent by saving it."""

    name = forms.CharField(max_length=120, help_text="For you to find it again. No judge sees it.")
    judges = forms.ModelMultipleChoiceField(
        Endpoint.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Each judges by itself, and has a table of its own.",
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
        help_text="Each is judged by itself. The judge is not told which it is.",
    )
    sample = forms.IntegerField(
        label="How many backgrounds",
        required=False,
        min_value=1,
        help_text="A background is an original with its versions, which stay together. Drawn by the seed; empty: all.",
    )
    repeats = forms.IntegerField(
        min_value=1,
        max_value=MOST_REPEATS,
        initial=1,
        help_text="Judgements of a dialogue by each judge. From two on you see how far a judge agrees with itself.",
    )
    budget = forms.DecimalField(
        required=False, min_value=Decimal("0.01"), max_digits=12, decimal_places=4,
        help_text="US dollars. The run pauses itself before it could cost more.",
    )  # fmt: skip
    token_budget = forms.IntegerField(
        label="Budget in tokens", required=False, min_value=1000, max_value=2**53,
        help_text="Read and written together.",
    )  # fmt: skip
    whole = forms.BooleanField(
        label="Only backgrounds that have everything chosen",
        required=False,
        initial=True,
        help_text="So that versions are compared on the same backgrounds.",
    )
    again = forms.BooleanField(
        label="Ask again where the same judge has answered before",
        required=False,
        help_text="Otherwise those judgements count, and are not paid again.",
    )
    tidy = forms.BooleanField(
        label="Tidy spacing and capitals",
        required=False,
        initial=True,
        help_text="As raters see them. Otherwise lower case and split punctuation give the originals away.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**53, initial=0, help_text="The same seed draws the same sample in the same order."
    )
    # `prompt` is the field by which dialogues are chosen: what they were written with.
    judge_prompt = forms.ModelChoiceField(
        Prompt.objects.kept().filter(stage=Stage.JUDGE), label="Judge’s prompt", empty_label=None
    )
    temperature = forms.FloatField(
        required=False, min_value=0, max_value=2, help_text="Empty leaves it to the model. At 0 repeats hardly differ."
    )
    max_tokens = forms.IntegerField(
        label="Longest reply", min_value=16, max_value=200_000, initial=2000, help_text="Tokens; cut off beyond."
    )
    ambiguous_policy = forms.ChoiceField(
        label="A call that was sent but not answered",
        required=False,
        choices=[("", "Send again where calls are free, else hold"), *Run.AmbiguousPolicy.choices],
    )

    use_batch = forms.BooleanField(
        label="Send calls in batches where an endpoint offers it",
        required=False,
        help_text="At the price its Batch API asks; answers may take a day.",
    )

    def __init__(self, *args: Any, corpus: Corpus, sources: Sources = ANY, **kwargs: Any) -> None:
        """`sources` are what the form begins with."""
        super().__init__(*args, **kwargs)
        self.corpus = corpus
        sources = sources.with_usual_writers(corpus)
        self.offer_sources(corpus, sources)
        if not Endpoint.objects.filter(supports_batch=True).exists():
            del self.fields["use_batch"]
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
        plain = ("name", "rubric", "repeats", "tidy", "again", "temperature", "max_tokens", "budget",
                 "token_budget", "ambiguous_policy")  # fmt: skip
        return JudgeChoice(
            wanted=wanted,
            judges=list(cleaned["judges"]),
            use_batch=cleaned.get("use_batch", False),
            prompt=cleaned["judge_prompt"],
            **{name: cleaned[name] for name in plain},
        )
