from django.urls import path

from annotation.rating import api, chat_views, preference_views, stage_views, views

urlpatterns = [
    path("", views.rate, name="rate"),
    path("left/", stage_views.rate_left, name="rate_left"),
    path("<str:token>/", views.rate_next, name="rate_next"),
    path("<str:token>/welcome/", stage_views.rate_welcome, name="rate_welcome"),
    path("<str:token>/decline/", stage_views.rate_decline, name="rate_decline"),
    path("<str:token>/practice/", stage_views.rate_practice, name="rate_practice"),
    path("<str:token>/rated/", stage_views.rate_rated, name="rate_rated"),
    path("<str:token>/preference/", preference_views.rate_preference, name="rate_preference"),
    path("<str:token>/break/", stage_views.rate_break, name="rate_break"),
    path("<str:token>/withdraw/", stage_views.rate_withdraw, name="rate_withdraw"),
    path("item/<str:token>/", views.rate_item, name="rate_item"),
    path("item/<str:token>/chat/", chat_views.rate_chat, name="rate_chat"),
    path("item/<str:token>/chat/finish/", chat_views.rate_chat_finish, name="rate_chat_finish"),
    path("item/<str:token>/feedback/", stage_views.rate_feedback, name="rate_feedback"),
    path("item/<str:token>/undo/", views.rate_undo, name="rate_undo"),
    path("item/<str:token>/skip/", views.rate_skip, name="rate_skip"),
    path("item/<str:token>/draft/", api.draft, name="rate_draft"),
    path("item/<str:token>/submit/", api.submit, name="rate_submit"),
]
