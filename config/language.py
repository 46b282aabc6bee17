"""Which language a page speaks: the one a person chose, else English.

What a browser prefers changes nothing by itself: the pages of researchers are in English only, and half a page in one
language and half in another, written from the other side, helps nobody.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as remember


class ChosenLanguage(LocaleMiddleware):
    """Speaks the language of the cookie that `choose` sets."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        translation.activate(chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


@require_POST
@login_not_required
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and go back; Django's own view refuses addresses elsewhere."""
    return remember(request)
