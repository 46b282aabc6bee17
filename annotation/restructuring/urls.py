from django.urls import path

from annotation.restructuring import api, views

urlpatterns = [
    path("", views.restructurings, name="restructurings"),
    path("<str:token>/", views.restructuring, name="restructuring"),
    path("<str:token>/operations/", api.operations, name="restructuring_operations"),
    path("<str:token>/proposals/", api.proposals, name="restructuring_proposals"),
    path("<str:token>/ask-model/", views.restructuring_ask_model, name="restructuring_ask_model"),
    path("<str:token>/submit/", views.restructuring_submit, name="restructuring_submit"),
    path("<str:token>/reopen/", views.restructuring_reopen, name="restructuring_reopen"),
]
