from django.urls import path

from annotation.checklists import views

urlpatterns = [
    path("<int:pk>/checklists/", views.study_checklists, name="study_checklists"),
    path("<int:pk>/checklists/<slug:form>/", views.study_checklists_file, name="study_checklists_file"),
]
