"""The addresses of all rooms; their names share one namespace, so `{% url "study" 3 %}` works everywhere."""

from django.urls import include, path

urlpatterns = [
    path("studies/", include("annotation.design.urls")),
    path("studies/", include("annotation.imported.urls")),
    path("studies/", include("annotation.monitoring.urls")),
    path("studies/", include("annotation.reports.urls")),
    path("studies/", include("annotation.bundles.urls")),
    path("studies/", include("annotation.checklists.urls")),
    path("agreement/", include("annotation.agreement_files.urls")),
    path("chats/", include("annotation.chats.urls")),
    path("rate/", include("annotation.rating.urls")),
    path("", include("annotation.restructuring.urls")),
    path("", include("annotation.recruitment.urls")),
    path("", include("annotation.people.urls")),
]
