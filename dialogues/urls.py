"""Addresses of corpora and dialogues: import, browse, read, delete."""

from django.urls import path

from dialogues.views import browse, corpus_actions, import_jobs, imports, reading_anew, statistics

app_name = "dialogues"
urlpatterns = [
    path("", browse.corpora, name="corpora"),
    path("import/", imports.upload, name="import"),
    path("import/<slug:token>/", imports.preview, name="import_preview"),
    path("import/<slug:token>/columns/<int:pk>/delete/", reading_anew.delete_columns, name="delete_columns"),
    path("imports/<int:pk>/", import_jobs.job, name="import_job"),
    path("imports/<int:pk>/stop/", import_jobs.stop, name="import_stop"),
    path("<int:pk>/", browse.corpus, name="corpus"),
    path("<int:pk>/dialogues.jsonl", corpus_actions.export, name="export"),
    path("<int:pk>/baseline/", corpus_actions.make_baseline, name="baseline"),
    path("<int:pk>/delete/", corpus_actions.delete, name="delete"),
    path("<int:pk>/statistics/", statistics.statistics, name="statistics"),
    path("<int:pk>/statistics/tables/<slug:slug>.<slug:form>", statistics.statistics_table, name="statistics_table"),
    path("<int:pk>/statistics/figures/<slug:slug>.<slug:form>", statistics.statistics_chart, name="statistics_chart"),
    path("chart-script.js", statistics.chart_script, name="chart_script"),
    path("dialogues/<int:pk>/", browse.dialogue, name="dialogue"),
]
