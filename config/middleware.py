"""Middleware of every request, beside Django's own and django-csp's."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# No page uses any of these, so the browser should refuse them to an injected script, too.
UNUSED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES)


def permissions_policy(get_response: GetResponse) -> GetResponse:
    """Forbid the page every device that it does not use."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        return response

    return respond


def refuse_nul(get_response: GetResponse) -> GetResponse:
    """Answer 404 for an address that contains NUL: no token does, and PostgreSQL refuses to look for one."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info:
            raise Http404("No address contains NUL.")
        return get_response(request)

    return respond


class LogInFirstMiddleware(LoginRequiredMiddleware):
    """Refuse what a page asks for in the background once its session has ended.

    Redirected, the request would put the log-in page into the middle of the page that sent it.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        return HttpResponse(status=403) if refused and request.headers.get("HX-Request") else refused


class ChosenLanguageMiddleware(LocaleMiddleware):
    """Use the language that the person chose (`config.views.choose_language`), else English.

    The browser's preferred languages are ignored: researchers' pages are in English only, and a page half in English
    and half in a language written from right to left helps nobody.
    """

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        translation.activate(chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Language", translation.get_language())
        return response
