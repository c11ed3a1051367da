"""Addresses of the recommender app."""

from django.urls import path

from recommender import views

app_name = "recommender"
urlpatterns = [
    path("", views.home, name="home"),
    path("songs/<int:pk>/similar/", views.similar, name="similar"),
]
