"""The versions that name what systems said in chats."""

import hashlib

from django.utils.text import slugify

from dialogues.models import Version

SLUG = "chat-"
# Behind all versions of written dialogues.
POSITION = 200
HUES = ("stephanie", "beta", "gamma", "punctuation", "restructured", "other")


def version_of(name: str) -> Version:
    """The version that names a system of this name, the same in every study."""
    known = Version.objects.filter(slug__startswith=SLUG, name=name).first()
    if known is not None:
        return known
    slug = SLUG + slugify(name)
    if slug == SLUG or Version.objects.filter(slug=slug).exists():
        # Nothing of the name can stand in an address, or another name gives the same slug.
        slug = f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".replace("--", "-")
    hue = HUES[Version.objects.filter(slug__startswith=SLUG).count() % len(HUES)]
    return Version.objects.get_or_create(
        slug=slug,
        defaults={
            "symbol": name,
            "name": name,
            "description": "Chats of people with this system.",
            "hue": hue,
            "position": POSITION,
        },
    )[0]
