"""Make the punctuation split of a corpus's β by a button."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from core.permissions import requires
from dialogues.baseline import made_in_words, split_all, without_baseline
from dialogues.models import Corpus, Dialogue

# As many as a request makes within seconds; the page says when more are left.
AT_ONCE = 10_000


@require_POST
@requires("dialogues.change_corpus", "make versions of dialogues")
def make_baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """Idempotent: what is there stays, and a second press makes only what is still missing."""
    corpus = get_object_or_404(Corpus, pk=pk)
    made = split_all(corpus, at_most=AT_ONCE, by=request.user)
    left = without_baseline(Dialogue.objects.filter(corpus=corpus)).count() if made == AT_ONCE else 0
    messages.success(request, made_in_words(made, left))
    return redirect(corpus)
