from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from generation.api import actions, judge_runs, material, results, runs, training

app_name = "api"
urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("corpora/", material.corpus_list, name="corpora"),
    path("endpoints/", material.endpoint_list, name="endpoints"),
    path("example-sets/", material.example_set_list, name="example_sets"),
    path("example-sets/<int:pk>/", material.example_set, name="example_set"),
    path("prompts/", material.prompt_list, name="prompts"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/<int:pk>/", runs.run_detail, name="run"),
    path("runs/<int:pk>/preview/", runs.run_preview, name="run_preview"),
    path("runs/<int:pk>/estimate/", runs.run_estimate, name="run_estimate"),
    path("runs/<int:pk>/start/", actions.run_start, name="run_start"),
    path("runs/<int:pk>/pause/", actions.run_pause, name="run_pause"),
    path("runs/<int:pk>/budget/", actions.run_budget, name="run_budget"),
    path("runs/<int:pk>/discard/", actions.run_discard, name="run_discard"),
    path("runs/<int:pk>/decide/", actions.run_decide, name="run_decide"),
    path("runs/<int:pk>/retry/", actions.run_retry, name="run_retry"),
    path("runs/<int:pk>/reread/", actions.run_reread, name="run_reread"),
    path("runs/<int:pk>/batches/<int:batch>/cancel/", actions.batch_cancel, name="batch_cancel"),
    path("runs/<int:pk>/calls/", runs.call_list, name="run_calls"),
    path("runs/<int:pk>/outputs/", results.run_outputs, name="run_outputs"),
    path("runs/<int:pk>/judgements/", results.run_judgements, name="run_judgements"),
    path("runs/<int:pk>/quality/", results.run_quality, name="run_quality"),
    path("judge-runs/", judge_runs.judge_run_create, name="judge_runs"),
    path("judge-report/", judge_runs.judge_report, name="judge_report"),
    path("comparison/", results.comparison, name="comparison"),
    path("training-runs/", training.training_run_list, name="training_runs"),
    path("training-runs/<int:pk>/", training.training_run_detail, name="training_run"),
    path("training-runs/<int:pk>/events/", training.training_run_events, name="training_run_events"),
    path("calls/<int:pk>/", runs.call_detail, name="call"),
]
