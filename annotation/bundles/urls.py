from django.urls import path

from annotation.bundles import views

urlpatterns = [path("<int:pk>/bundle.zip", views.study_bundle, name="study_bundle")]
