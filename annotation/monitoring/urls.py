from django.urls import path

from annotation.monitoring import balance, chat_views, disagreement_views, manage_views, rater_views, views

urlpatterns = [
    path("", views.studies, name="studies"),
    path("<int:pk>/", views.study, name="study"),
    path("<int:pk>/launch/", views.study_launch, name="study_launch"),
    path("<int:pk>/manage/<slug:action>/", manage_views.study_manage, name="study_manage"),
    path("<int:pk>/raters/", rater_views.study_raters, name="study_raters"),
    path("<int:pk>/raters/<int:member>/", rater_views.study_rater, name="study_rater"),
    path("<int:pk>/raters/<int:member>/exclude/", rater_views.rater_exclude, name="rater_exclude"),
    path("<int:pk>/raters/<int:member>/reinstate/", rater_views.rater_reinstate, name="rater_reinstate"),
    path("<int:pk>/raters/<int:member>/replace/", rater_views.rater_replace, name="rater_replace"),
    path("<int:pk>/raters/<int:member>/link/", rater_views.rater_return_link, name="rater_return_link"),
    path("<int:pk>/disagreement/", disagreement_views.study_disagreement, name="study_disagreement"),
    path("<int:pk>/disagreement.csv", disagreement_views.study_disagreement_csv, name="study_disagreement_csv"),
    path("<int:pk>/items/<int:number>/", disagreement_views.study_disputed_item, name="study_disputed_item"),
    path("<int:pk>/chats/", chat_views.study_chats, name="study_chats"),
    path("<int:pk>/chats/<int:number>/", chat_views.study_chat, name="study_chat"),
    path("<int:pk>/balance/", balance.study_balance, name="study_balance"),
    path("<int:pk>/balance.json", balance.study_balance_json, name="study_balance_json"),
    path("<int:pk>/members/", views.study_member, name="study_member"),
]
