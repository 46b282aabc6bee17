"""What an address asks for, as text that a database can look for."""

from django.http import HttpRequest


def asked_text(request: HttpRequest, name: str) -> str:
    """A parameter without spaces at its ends; "" where it is missing or holds NUL, which is in no row."""
    text = str(request.GET.get(name, "")).strip()
    return "" if "\0" in text else text


def asked_texts(request: HttpRequest, name: str) -> tuple[str, ...]:
    """The values of a parameter that may come several times, but for those that hold NUL."""
    return tuple(value for value in request.GET.getlist(name) if "\0" not in value)
