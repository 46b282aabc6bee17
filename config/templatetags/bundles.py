"""`{% bundle_styles %}` and `{% bundle_script %}`: one address for a bundle, or those of its parts while DEBUG is on."""

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.bundles import SCRIPTS, STYLES

register = template.Library()


@register.simple_tag
def bundle_styles(name: str) -> SafeString:
    names = STYLES[name] if settings.DEBUG else (name,)
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((static(part),) for part in names))


@register.simple_tag
def bundle_script(name: str) -> SafeString:
    return format_html('<script type="module" src="{}"></script>', static(SCRIPTS[name] if settings.DEBUG else name))
