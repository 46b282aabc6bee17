"""Actions on a whole corpus: make its punctuation baseline, delete it."""

from django.contrib import messages
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core.permissions import requires
from dialogues.baseline import made_in_words, split_all, without_baseline
from dialogues.deletion import delete_corpus, in_the_way
from dialogues.models import Corpus, Dialogue

# A request makes so many within seconds; the page says if more are left.
AT_ONCE = 10_000


@require_POST
@requires("dialogues.change_corpus", "make versions of dialogues")
def make_baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """Idempotent: a second press makes only what is still missing."""
    corpus = get_object_or_404(Corpus, pk=pk)
    made = split_all(corpus, at_most=AT_ONCE, by=request.user)
    left = without_baseline(Dialogue.objects.filter(corpus=corpus)).count() if made == AT_ONCE else 0
    messages.success(request, made_in_words(made, left))
    return redirect(corpus)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.delete_corpus", "delete corpora")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    corpus = get_object_or_404(Corpus, pk=pk)
    reasons = in_the_way(corpus)
    if request.method == "POST" and not reasons:
        try:
            delete_corpus(corpus, by=request.user)
        except ProtectedError:
            # Somebody used it between the check and the deletion.
            reasons = in_the_way(corpus)
        else:
            messages.success(request, f"Deleted the corpus “{corpus.name}”.")
            return redirect("dialogues:corpora")
    context = {"corpus": corpus, "reasons": reasons, "totals": corpus.dialogues.totals()}
    return render(request, "dialogues/delete.html", context, status=409 if request.method == "POST" else 200)
