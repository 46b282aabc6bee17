from django.urls import path

from annotation.recruitment import list_views, open_link_views, reminder_views

urlpatterns = [
    path("studies/<int:pk>/invite/list/", list_views.study_invite_list, name="study_invite_list"),
    path("studies/<int:pk>/door/", open_link_views.study_open_link, name="study_door"),
    path("studies/<int:pk>/door/shut/", open_link_views.study_open_link_close, name="study_door_shut"),
    path("studies/<int:pk>/remind/", reminder_views.study_remind, name="study_remind"),
    path("door/<str:token>/", open_link_views.open_link, name="door"),
    path("door/return/<str:token>/", open_link_views.return_link, name="door_return"),
]
