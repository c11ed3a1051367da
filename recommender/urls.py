"""Addresses of the recommender app."""

from django.urls import path

from recommender import operator_views, views

app_name = "recommender"
urlpatterns = [
    path("", views.home, name="home"),
    path("adventure/", views.adventure, name="adventure"),
    path("songs/<int:pk>/similar/", views.similar, name="similar"),
    path("operator/quality/", operator_views.quality, name="quality"),
    path("operator/models/<int:pk>/activate/", operator_views.activate_version, name="activate"),
]
