"""Addresses of the feedback app."""

from django.urls import path

from feedback import views

app_name = "feedback"
urlpatterns = [
    path("songs/<int:pk>/rate/", views.rate, name="rate"),
    path("songs/<int:pk>/listen/", views.listen, name="listen"),
    path("ratings/", views.ratings, name="ratings"),
    path("history/", views.history, name="history"),
    path("history/<int:pk>/remove/", views.remove_play, name="play_remove"),
    path("history/restore/", views.restore_play, name="play_restore"),
    path("start/", views.start, name="start"),
]
