"""All addresses, one line an app."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from config.views import choose_language, healthz
from core import computation_views

to_password_change = require_safe(RedirectView.as_view(pattern_name="password_change"))
handler400 = "config.outage.bad_request"
handler404 = "config.outage.not_found"
handler500 = "config.outage.server_error"
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("language/", choose_language, name="language"),
    # The admin site's own form would check a password without counting wrong tries.
    path("admin/password_change/", to_password_change, name="admin_password_change"),
    path("admin/", admin.site.urls),
    path("computations/<int:pk>/", computation_views.computation, name="computation"),
    path("computations/<int:pk>/stop/", computation_views.computation_stop, name="computation_stop"),
    path("computations/<int:pk>/again/", computation_views.computation_again, name="computation_again"),
    path("api/", include("generation.api.urls")),
    path("corpora/", include("dialogues.urls")),
    path("generation/", include("generation.urls")),
    path("", include("annotation.urls")),
]
