from django.urls import path

from annotation.chats import views

urlpatterns = [
    path("", views.chat_list, name="chats"),
    path("new/", views.chat_new, name="chat_new"),
    path("<str:token>/", views.chat, name="chat"),
    path("<str:token>/events/", views.chat_events, name="chat_events"),
    path("<str:token>/messages/", views.chat_send, name="chat_send"),
    path("<str:token>/say/", views.chat_say, name="chat_say"),
    path("<str:token>/sign/<slug:sign>/", views.chat_sign, name="chat_sign"),
    path("<str:token>/download/", views.chat_download, name="chat_download"),
    path("<str:token>/keep/", views.chat_keep, name="chat_keep"),
    path("<str:token>/score/", views.chat_score, name="chat_score"),
    path("<str:token>/delete/", views.chat_delete, name="chat_delete"),
]
