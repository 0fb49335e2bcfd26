"""The addresses of the pages."""

from django.urls import path

from streaming import views

urlpatterns = [
    path("", views.live, name="live"),
    path("connect", views.connect, name="connect"),
    path("reference/<slug:name>", views.reference, name="reference"),
]
