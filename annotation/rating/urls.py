from django.urls import path

from annotation import api
from annotation.rating import views

urlpatterns = [
    path("", views.rate, name="rate"),
    path("<str:token>/", views.rate_next, name="rate_next"),
    path("item/<str:token>/", views.rate_item, name="rate_item"),
    path("item/<str:token>/skip/", views.rate_skip, name="rate_skip"),
    path("item/<str:token>/draft/", api.draft, name="rate_draft"),
    path("item/<str:token>/submit/", api.submit, name="rate_submit"),
]
