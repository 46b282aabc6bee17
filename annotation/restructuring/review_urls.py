"""Researchers' pages: requests, progress, review, agreement, export."""

from django.urls import path

from annotation.restructuring import beside_views, overview_views, review_views, seed_views

urlpatterns = [
    path("", overview_views.restructuring_overview, name="restructuring_overview"),
    path("choose/", seed_views.restructuring_seeds, name="restructuring_seeds"),
    path("ask/", seed_views.restructuring_ask, name="restructuring_ask"),
    path("export.jsonl", overview_views.restructurings_export, name="restructurings_export"),
    path("agreement/", beside_views.restructuring_agreement, name="restructuring_agreement"),
    path(
        "agreement/boundaries.csv",
        beside_views.restructuring_agreement_table,
        {"form": "csv"},
        name="restructuring_agreement_csv",
    ),
    path(
        "agreement/boundaries.tex",
        beside_views.restructuring_agreement_table,
        {"form": "tex"},
        name="restructuring_agreement_latex",
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
