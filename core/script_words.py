"""What the scripts of a page say, in the page's language: sentences that stand in the page, for static/js/words.js."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext

# The plural form of a number follows from the number below this, and from its last two digits above it, in every
# language that gettext knows.
PLAIN = 200


def sentences_for_scripts(
    sentences: Iterable[str], counted: Mapping[str, Callable[[int], str]] | None = None
) -> dict[str, Any]:
    """English sentence → the same in the language that is active; nothing where that is English.

    `counted`: the English sentence for many → what is said for a count. Such a sentence becomes its forms and, for
    each count below PLAIN, which form it takes.
    """
    if get_language() in (None, settings.LANGUAGE_CODE):
        return {}
    found: dict[str, Any] = {sentence: gettext(sentence) for sentence in sentences}
    for sentence, said in (counted or {}).items():
        of_count = [said(count) for count in range(PLAIN)]
        forms = list(dict.fromkeys(of_count))
        found[sentence] = {"forms": forms, "of": [forms.index(text) for text in of_count]}
    return found
