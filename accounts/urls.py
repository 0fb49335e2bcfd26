"""Addresses of the account pages, and of the REST calls about one's keys (a trailing slash is fine there)."""

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from accounts import api, views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("keys/", views.keys, name="keys"),
    path("keys/<int:pk>/rotate", views.key_rotate, name="key-rotate"),
    path("keys/<int:pk>/revoke", views.key_revoke, name="key-revoke"),
    re_path(r"^account/keys/?$", api.KeysView.as_view(), name="account-keys"),
    re_path(r"^account/keys/(?P<key_id>[^/]+)/rotate/?$", api.KeyRotateView.as_view(), name="account-key-rotate"),
    re_path(r"^account/keys/(?P<key_id>[^/]+)/revoke/?$", api.KeyRevokeView.as_view(), name="account-key-revoke"),
]
