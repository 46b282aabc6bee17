from django.contrib.auth import views as auth
from django.urls import path

from annotation.people import api_token_views, home, invitation_views, member_views, method_page, passwords, resets

urlpatterns = [
    path("", home.home, name="home"),
    path("method/", method_page.method, name="method"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("account/password/", passwords.PasswordChange.as_view(), name="password_change"),
    path("account/password/changed/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("account/reset/<str:uidb64>/<str:token>/", resets.password_reset, name="password_reset"),
    path("api/account/", api_token_views.account, name="api_account"),
    path("account/tokens/", api_token_views.api_tokens, name="api_tokens"),
    path("account/tokens/<int:pk>/revoke/", api_token_views.api_token_revoke, name="api_token_revoke"),
    path("people/", member_views.people, name="people"),
    path("people/<int:pk>/", member_views.person, name="person"),
    path("people/<int:pk>/role/", member_views.person_role, name="person_role"),
    path("people/<int:pk>/deactivate/", member_views.person_deactivate, name="person_deactivate"),
    path("people/<int:pk>/reactivate/", member_views.person_reactivate, name="person_reactivate"),
    path("people/<int:pk>/reset/", resets.person_reset, name="person_reset"),
    path("people/invite/", invitation_views.invite, name="invite"),
    path("people/invitations/<int:pk>/revoke/", invitation_views.invitation_revoke, name="invitation_revoke"),
    path("studies/<int:pk>/invite/", invitation_views.study_invite, name="study_invite"),
    path("invitation/<str:token>/", invitation_views.invitation, name="invitation"),
]
