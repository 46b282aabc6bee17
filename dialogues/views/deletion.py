"""Delete a corpus, after a page that says what goes with it."""

from django.contrib import messages
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from core.permissions import requires
from dialogues.deletion import delete_corpus, in_the_way
from dialogues.models import Corpus


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.delete_corpus", "delete corpora")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    corpus = get_object_or_404(Corpus, pk=pk)
    reasons = in_the_way(corpus)
    if request.method == "POST" and not reasons:
        try:
            delete_corpus(corpus, by=request.user)
        except ProtectedError:
            # Somebody built on it between the look and the deletion.
            reasons = in_the_way(corpus)
        else:
            messages.success(request, f"Deleted the corpus “{corpus.name}”.")
            return redirect("dialogues:corpora")
    context = {"corpus": corpus, "reasons": reasons, "totals": corpus.dialogues.totals()}
    return render(request, "dialogues/delete.html", context, status=409 if request.method == "POST" else 200)
