from django.contrib.auth import views as auth
from django.urls import path

from annotation.people import home, method

urlpatterns = [
    path("", home.home, name="home"),
    path("method/", method.method, name="method"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("account/password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("account/password/changed/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
]
