from django.urls import path

from annotation.reports import flow_views, power_views, views
from core.downloads import TABLE_FORMS

urlpatterns = [
    path("power/", power_views.study_power, name="study_power"),
    path("power/<slug:table>.<slug:form>", power_views.study_power_table, name="study_power_table"),
    path("<int:pk>/power/", power_views.study_power_keep, name="study_power_keep"),
    path("<int:pk>/report/", views.study_report, name="study_report"),
    path("<int:pk>/report/ratings.csv", views.study_ratings_csv, name="study_ratings_csv"),
    path("<int:pk>/report/chats.jsonl", views.study_chats_jsonl, name="study_chats_jsonl"),
    path("<int:pk>/report/preferences.csv", views.study_preferences_csv, name="study_preferences_csv"),
    path("<int:pk>/report/flow.<slug:form>", flow_views.study_flow, name="study_flow"),
    # Before the figures, whose files have other extensions.
    *(
        path(f"<int:pk>/report/<slug:table>.{form}", views.study_table, {"form": form}, name=f"study_table_{form}")
        for form in TABLE_FORMS
    ),
    path("<int:pk>/report/<slug:figure>.<slug:form>", views.study_figure, name="study_figure"),
]
