"""The review page with its forms: both texts, the operations between them, remarks, and the decision."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotation.models import Remark, Restructuring
from annotation.restructuring import review
from annotation.restructuring.comparing import figures_table, links_of, shown_segments
from annotation.restructuring.history import told
from core.numbers import whole_number
from core.permissions import person_of, requires
from dialogues.editing import kept_share, transcript_of
from generation.models import ExampleKind, ExampleSet

_may_review = requires("annotation.change_restructuring", "review restructurings")


@require_GET
@requires("annotation.view_restructuring", "see what people restructure")
def restructuring_review(request: HttpRequest, token: str) -> HttpResponse:
    return _page(request, _found(token))


@require_POST
@_may_review
def restructuring_approve(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(token)
    version = whole_number(request.POST.get("version"))

    def approve() -> str:
        made = review.approve(restructuring=found, version=-1 if version is None else version, by=person_of(request))
        return f"Approved. It is a separate dialogue now: {made.key}"

    return _done(request, found, approve)


@require_POST
@_may_review
def restructuring_send_back(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(token)
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, send_back=form)

    def send_back() -> str:
        review.send_back(restructuring=found, by=person_of(request), **form.cleaned_data)
        return "Sent back. Its annotator sees your words and remarks."

    return _done(request, found, send_back, send_back=form)


@require_POST
@_may_review
def restructuring_remark(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(token)
    form = RemarkForm(request.POST, texts=_texts(found))
    if not form.is_valid():
        return _page(request, found, status=422, remark=form)
    said = form.cleaned_data

    def remark() -> str:
        review.add_remark(
            restructuring=found,
            version=said["version"],
            place=said["message"],
            text=said["text"],
            by=person_of(request),
        )
        return "Remark added."

    return _done(request, found, remark, remark=form)


@require_POST
@_may_review
def restructuring_settle(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    found = _found(token)
    remark = get_object_or_404(Remark, pk=pk, restructuring=found)

    def settle() -> str:
        review.settle(restructuring=found, remark=remark, by=person_of(request))
        return "Settled."

    return _done(request, found, settle)


@require_POST
@requires("generation.change_exampleset", "add examples")
def restructuring_example(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(token)
    form = ExampleForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, example=form)
    chosen = form.cleaned_data["example_set"]

    def add() -> str:
        made = review.add_to_examples(
            chosen, restructuring=found, note=form.cleaned_data["note"], by=person_of(request)
        )
        return f"Added to {chosen} as example {made.position}."

    return _done(request, found, add)


def _page(request: HttpRequest, found: Restructuring, *, status: int = 200, **sent: forms.Form) -> HttpResponse:
    """`sent` has forms with errors, by their names in the context."""
    story = told(found)
    at = story.at(whole_number(request.GET.get("at")))
    draft = story.drafts[at]
    original, after = found.original.transcript, transcript_of(draft)
    is_newest = at == len(story.drafts) - 1
    diff = "diff" in request.GET
    version = {"version": found.version}
    remarks = list(found.remarks.select_related("author"))
    context: dict[str, Any] = {
        "row": found,
        "segments": shown_segments(original, after, links_of(draft), diff=diff),
        "diff": diff,
        "steps": story.steps,
        "at": at,
        "is_newest": is_newest,
        "table": figures_table(original, after, kept_share(original, draft)),
        "remarks": remarks,
        "open_remarks": sum(remark.settled_at is None for remark in remarks),
        "why_not_review": review.why_not_review(found, person_of(request)),
        "why_not_remark": review.why_not_remark(found, person_of(request)),
        "why_not_take_back": review.why_not_take_back(found),
        "others": _others(found),
        "send_back": SendBackForm(initial=version),
        "remark": RemarkForm(initial=version, texts=_texts(found)),
        "example": ExampleForm() if found.state == Restructuring.State.APPROVED else None,
        **sent,
    }
    return render(request, "restructuring/review.html", context, status=status)


def _done(request: HttpRequest, found: Restructuring, act: Callable[[], str], **sent: forms.Form) -> HttpResponse:
    """Do it and say so; if the text has changed meanwhile, show the new one with what was written (409)."""
    try:
        said = act()
    except review.ChangedError as error:
        messages.error(request, str(error))
        for form in sent.values():
            form.data = {**form.data.dict(), "version": str(_found(found.token).version)}  # type: ignore[attr-defined]
        return _page(request, _found(found.token), status=409, **sent)
    except review.ReviewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("restructuring_review", found.token)


def _found(token: str) -> Restructuring:
    rows = Restructuring.objects.select_related(
        "annotator", "asked_by", "reviewer", "result__version", "original__corpus", "original__version"
    )
    return get_object_or_404(rows, token=token)


def _others(found: Restructuring) -> int:
    """How many other people's restructurings of the dialogue there are."""
    return Restructuring.objects.kept().filter(original=found.original_id).exclude(pk=found.pk).count()


def _texts(found: Restructuring) -> list[str]:
    return [text for _, text in found.messages]


LONGEST_WORDS = 5000


class SendBackForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    words = forms.CharField(
        label="What should be different",
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The annotator reads this and your remarks above the dialogue.",
        error_messages={"required": "Say what should be different."},
    )


class RemarkForm(forms.Form):
    """A remark on one message; people see messages numbered from 1."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    message = forms.TypedChoiceField(coerce=int, choices=[], error_messages={"required": "Choose a message."})
    text = forms.CharField(label="Remark", max_length=LONGEST_WORDS, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, texts: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(place, f"{place + 1}. {text[:60]}") for place, text in enumerate(texts)]
        self.fields["message"].choices = choices  # type: ignore[attr-defined]


class ExampleForm(forms.Form):
    """The draft set that gets the result: both texts for a further-split set, only the new one for a positive set."""

    example_set = forms.ModelChoiceField(
        ExampleSet.objects.none(),
        label="Example set",
        empty_label=None,
        error_messages={
            "required": "Choose a set.",
            "invalid_choice": "This set is no longer a draft. Choose another.",
        },
    )
    note = forms.CharField(required=False, max_length=500, help_text="Why this example is there.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = (ExampleKind.FURTHER_SPLIT, ExampleKind.STEP_BY_STEP)
        drafts = ExampleSet.objects.listed().filter(kind__in=kinds, frozen_at__isnull=True)
        field = self.fields["example_set"]
        field.queryset = drafts.order_by("kind", "name", "-version")  # type: ignore[attr-defined]
        field.label_from_instance = lambda row: f"{row} – {row.get_kind_display()}"  # type: ignore[attr-defined]
