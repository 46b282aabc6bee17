"""What every template may know about the product."""

from django.conf import settings
from django.http import HttpRequest

from config.wording import frame_words


def product(request: HttpRequest) -> dict[str, object]:
    return {"demo_mode": settings.DEMO, "frame_words": frame_words}
