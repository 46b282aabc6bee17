from django.urls import path

from annotation.bundles import views

urlpatterns = [
    path("<int:pk>/report.zip", views.study_report_zip, name="study_report_zip"),
    path("<int:pk>/bundle.zip", views.study_bundle, name="study_bundle"),
]
