"""HTTP addresses."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("", include("streaming.urls")),
    path("", include("accounts.urls")),
    path("", include("market.urls")),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    # Its script comes from an address of its own: the content security policy allows none inside a page.
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
]

handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"
