"""Addresses of the people who restructure dialogues, and of the researchers who ask them to."""

from django.urls import include, path

from annotation.restructuring import api, beside_views, overview_views, review_views, seed_views, views

editors_pages = [
    path("", views.restructurings, name="restructurings"),
    path("<str:token>/", views.restructuring, name="restructuring"),
    path("<str:token>/operations/", api.operations, name="restructuring_operations"),
    path("<str:token>/proposals/", api.proposals, name="restructuring_proposals"),
    path("<str:token>/ask-model/", views.restructuring_ask_model, name="restructuring_ask_model"),
    path("<str:token>/submit/", views.restructuring_submit, name="restructuring_submit"),
    path("<str:token>/reopen/", views.restructuring_reopen, name="restructuring_reopen"),
]

# Requests, progress, review, agreement, export.
researchers_pages = [
    path("", overview_views.restructuring_overview, name="restructuring_overview"),
    path("choose/", seed_views.restructuring_seeds, name="restructuring_seeds"),
    path("ask/", seed_views.restructuring_ask, name="restructuring_ask"),
    path("export.jsonl", overview_views.restructurings_export, name="restructurings_export"),
    path("agreement/", beside_views.restructuring_agreement, name="restructuring_agreement"),
    path(
        "agreement/boundaries.<slug:form>",
        beside_views.restructuring_agreement_table,
        name="restructuring_agreement_table",
    ),
    path("dialogues/<int:pk>/", beside_views.restructurings_beside, name="restructurings_beside"),
    path(
        "dialogues/<int:pk>/pairs.<slug:form>",
        beside_views.restructurings_beside_table,
        name="restructurings_beside_table",
    ),
    path("<str:token>/", review_views.restructuring_review, name="restructuring_review"),
    path("<str:token>/approve/", review_views.restructuring_approve, name="restructuring_approve"),
    path("<str:token>/send-back/", review_views.restructuring_send_back, name="restructuring_send_back"),
    path("<str:token>/remarks/", review_views.restructuring_remark, name="restructuring_remark"),
    path("<str:token>/remarks/<int:pk>/settle/", review_views.restructuring_settle, name="restructuring_settle"),
    path("<str:token>/example/", review_views.restructuring_example, name="restructuring_example"),
    path("<str:token>/take-back/", overview_views.restructuring_take_back, name="restructuring_take_back"),
    path("<str:token>/give-back/", overview_views.restructuring_give_back, name="restructuring_give_back"),
]

urlpatterns = [
    path("restructure/", include(editors_pages)),
    path("restructurings/", include(researchers_pages)),
]
