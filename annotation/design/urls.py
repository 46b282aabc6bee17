from django.urls import path

from annotation.design import check_views, plan_views, preview, record_views, rubric_views, step_views

urlpatterns = [
    path("new/", step_views.study_new, name="study_new"),
    path("rubrics/", rubric_views.rubrics, name="rubrics"),
    path("rubrics/new/", rubric_views.rubric_new, name="rubric_new"),
    path("rubrics/<int:pk>/", rubric_views.rubric, name="rubric"),
    path("rubrics/<int:pk>/edit/", rubric_views.rubric_edit, name="rubric_edit"),
    path("rubrics/<int:pk>/clone/", rubric_views.rubric_clone, name="rubric_clone"),
    path("rubrics/<int:pk>/delete/", rubric_views.rubric_delete, name="rubric_delete"),
    path("<int:pk>/design/", record_views.study_design, name="study_design"),
    path("<int:pk>/design.json", record_views.study_design_json, name="study_design_json"),
    path("<int:pk>/design/<slug:step>/", step_views.study_step, name="study_step"),
    path("<int:pk>/methods.txt", record_views.study_methods, name="study_methods"),
    path("<int:pk>/plan.json", plan_views.study_plan_json, name="study_plan_json"),
    path("<int:pk>/plan-<slug:form>.txt", plan_views.study_plan_text, name="study_plan_text"),
    path("<int:pk>/preview/", preview.study_preview, name="study_preview"),
    path("<int:pk>/checks/", check_views.study_check_choose, name="study_check_choose"),
    path("<int:pk>/checks/add/<int:dialogue>/", check_views.study_check_add, name="study_check_add"),
    path("<int:pk>/checks/<int:item>/", check_views.study_check_edit, name="study_check_edit"),
    path("<int:pk>/checks/<int:item>/remove/", check_views.study_check_remove, name="study_check_remove"),
    path("<int:pk>/next/", record_views.study_next, name="study_next"),
]
