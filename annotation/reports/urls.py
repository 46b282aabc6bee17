from django.urls import path

from annotation.reports import views

urlpatterns = [
    path("<int:pk>/report/", views.study_report, name="study_report"),
    path("<int:pk>/report/ratings.csv", views.study_ratings_csv, name="study_ratings_csv"),
    path("<int:pk>/report/chats.jsonl", views.study_chats_jsonl, name="study_chats_jsonl"),
    path("<int:pk>/report/preferences.csv", views.study_preferences_csv, name="study_preferences_csv"),
    path("<int:pk>/report/<slug:table>.csv", views.study_table_csv, name="study_table_csv"),
    path("<int:pk>/report/<slug:table>.tex", views.study_table_latex, name="study_table_latex"),
    path("<int:pk>/report/<slug:figure>.<slug:form>", views.study_figure, name="study_figure"),
]
