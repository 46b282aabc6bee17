"""Translations for a page's scripts: the page carries the sentences, and static/js/words.js reads them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext

# In every language that gettext knows, the plural form of a number depends on the number itself below this limit,
# and on its last two digits above it.
PLAIN = 200


def sentences_for_scripts(
    sentences: Iterable[str], counted: Mapping[str, Callable[[int], str]] | None = None
) -> dict[str, Any]:
    """Map each English sentence to its translation into the active language; empty if that is English.

    `counted` maps the English plural to a function that gives the sentence for a count. It becomes the list of its
    forms and, for each count below PLAIN, the index of the form to use.
    """
    if get_language() in (None, settings.LANGUAGE_CODE):
        return {}
    found: dict[str, Any] = {sentence: gettext(sentence) for sentence in sentences}
    for sentence, said in (counted or {}).items():
        of_count = [said(count) for count in range(PLAIN)]
        forms = list(dict.fromkeys(of_count))
        found[sentence] = {"forms": forms, "of": [forms.index(text) for text in of_count]}
    return found
