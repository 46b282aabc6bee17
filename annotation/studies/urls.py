from django.urls import path

from annotation.studies import balance_views, views

urlpatterns = [
    path("", views.studies, name="studies"),
    path("new/", views.study_new, name="study_new"),
    path("<int:pk>/", views.study, name="study"),
    path("<int:pk>/edit/", views.study_edit, name="study_edit"),
    path("<int:pk>/launch/", views.study_launch, name="study_launch"),
    path("<int:pk>/close/", views.study_close, name="study_close"),
    path("<int:pk>/balance.json", balance_views.study_balance, name="study_balance"),
    path("<int:pk>/members/", views.study_member, name="study_member"),
]
