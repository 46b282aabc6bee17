from django.urls import path

from annotation.agreement_files import views

urlpatterns = [path("", views.agreement_page, name="agreement")]
