"""The address of the live page."""

from django.urls import path

from streaming import views

urlpatterns = [path("", views.live, name="live")]
