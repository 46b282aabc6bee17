from django.urls import path

from annotation.imported import views

urlpatterns = [
    path("import/", views.ratings_import, name="ratings_import"),
    path("import/<str:token>/", views.ratings_preview, name="ratings_preview"),
]
