from django.urls import path

from generation.views import calls, endpoints, examples, runs

app_name = "generation"
urlpatterns = [
    path("endpoints/", endpoints.endpoint_list, name="endpoints"),
    path("endpoints/new/", endpoints.endpoint_new, name="endpoint_new"),
    path("endpoints/<int:pk>/", endpoints.endpoint_edit, name="endpoint"),
    path("endpoints/<int:pk>/check/", endpoints.endpoint_check, name="endpoint_check"),
    path("examples/", examples.example_sets, name="example_sets"),
    path("examples/<int:pk>/", examples.example_set, name="example_set"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/new/", runs.run_new, name="run_new"),
    path("runs/<int:pk>/", runs.run_detail, name="run"),
    path("runs/<int:pk>/start/", runs.run_start, name="run_start"),
    path("runs/<int:pk>/pause/", runs.run_pause, name="run_pause"),
    path("runs/<int:pk>/discard/", runs.run_discard, name="run_discard"),
    path("runs/<int:pk>/decide/", runs.run_decide, name="run_decide"),
    path("runs/<int:pk>/retry/", runs.run_retry, name="run_retry"),
    path("runs/<int:pk>/budget/", runs.run_budget, name="run_budget"),
    path("runs/<int:pk>/events/", runs.run_events, name="run_events"),
    path("calls/<int:pk>/", calls.call_detail, name="call"),
]
