"""Choose dialogues, and ask people to restructure them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from annotation.people.acquaintance import AcquaintedError
from annotation.restructuring import seeds
from annotation.restructuring.seed_forms import MOST_TICKED, AskForm, SeedFilter, read_keys, write_keys
from core.permissions import person_of, requires
from dialogues.models import Corpus, Dialogue

DIALOGUES_A_PAGE = 50
KEYS_SHOWN = 12


@require_GET
@requires("annotation.add_restructuring", "ask people to restructure dialogues")
def restructuring_seeds(request: HttpRequest) -> HttpResponse:
    form = SeedFilter(request.GET)
    wanted = form.wanted()
    page = Paginator(seeds.candidates(wanted), DIALOGUES_A_PAGE).get_page(request.GET.get("page"))
    ticked = ticked_in(request.GET)
    shown = [one.pk for one in page]
    context = {
        "form": form,
        "page": page,
        "rows": seeds.figures_of(list(page), wanted.get("metric") or ""),
        "ticked": ticked,
        "shown": write_keys(shown),
        "elsewhere": write_keys(ticked - set(shown)),
        "elsewhere_count": len(ticked - set(shown)),
        "any": page.paginator.count > 0 or Dialogue.objects.filter(corpus__is_scratch=False).exists(),
        "any_corpus": Corpus.objects.listed().exists(),
    }
    return render(request, "restructuring/seeds.html", context)


@require_http_methods(["GET", "POST"])
@requires("annotation.add_restructuring", "ask people to restructure dialogues")
def restructuring_ask(request: HttpRequest) -> HttpResponse:
    """The page that asks people to restructure the chosen dialogues."""
    if request.method == "POST":
        return _asked(request)
    keys = chosen_in(request.GET)
    if not keys:
        messages.error(request, "Nothing was chosen. Tick dialogues, or take the first ones of the list.")
        return redirect(f"{reverse('restructuring_seeds')}?{_without_choice(request.GET)}")
    return _ask_page(request, AskForm(initial={"dialogues": write_keys(keys)}), keys)


def ticked_in(sent: QueryDict) -> set[int]:
    """The ticked dialogues: those of other pages, and the present ticks of the page that was sent."""
    before = read_keys(sent.get("ticked", "")) - read_keys(sent.get("shown", ""))
    return set(sorted(before | read_keys("-".join(sent.getlist("dialogue"))))[:MOST_TICKED])


def chosen_in(sent: QueryDict) -> list[int]:
    """The dialogues that the address asks for: the ticked ones, the first `n`, or a seeded sample."""
    how = sent.get("how", "ticked")
    if how == "ticked":
        return sorted(
            Dialogue.objects.filter(pk__in=ticked_in(sent), corpus__is_scratch=False).values_list("pk", flat=True)
        )
    form = SeedFilter(sent)
    wanted = form.wanted()
    n, seed = wanted.get("n") or 0, wanted.get("seed") or 0
    found = seeds.candidates(wanted)
    return seeds.sample(found, n, seed) if how == "sample" else seeds.first(found, n)


def _asked(request: HttpRequest) -> HttpResponse:
    form = AskForm(request.POST)
    if not form.is_valid():
        return _ask_page(request, form, sorted(read_keys(request.POST.get("dialogues", ""))), status=422)
    chosen = form.cleaned_data
    try:
        asked = seeds.ask(
            dialogues=chosen["dialogues"],
            people=list(chosen["people"]),
            instructions=chosen["instructions"],
            despite=chosen["despite"],
            by=person_of(request),
        )
    except AcquaintedError as error:
        form.add_error("despite", str(error))
        return _ask_page(request, form, chosen["dialogues"], status=422)
    messages.success(request, said(asked))
    return redirect("restructuring_overview")


def said(asked: seeds.Asked) -> str:
    """The message afterwards."""
    before = f"{asked.before:,} had been asked for before and stay as they are."
    if not asked.new:
        return f"Nothing new: {before}" if asked.before else "Nothing was asked for."
    new = f"{asked.new:,} restructuring{'s' if asked.new != 1 else ''} asked for."
    return f"{new} {before}" if asked.before else new


def _ask_page(request: HttpRequest, form: AskForm, keys: list[int], status: int = 200) -> HttpResponse:
    shown = Dialogue.objects.filter(pk__in=keys[:KEYS_SHOWN]).select_related("version", "corpus").defer("messages")
    context: dict[str, Any] = {
        "form": form,
        "count": len(keys),
        "dialogues": shown,
        "more": max(0, len(keys) - KEYS_SHOWN),
        "nobody": not form.fields["people"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return render(request, "restructuring/ask.html", context, status=status)


def _without_choice(sent: QueryDict) -> str:
    return urlencode([(key, value) for key, values in sent.lists() if key != "how" for value in values])
