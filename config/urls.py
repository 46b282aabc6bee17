"""The front door: one line an app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("corpora/", include("dialogues.urls")),
    path("generation/", include("generation.urls")),
    path("", include("annotation.urls")),
]
