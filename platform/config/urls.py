"""HTTP addresses."""

from csp.decorators import csp_update
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.health import livez, readyz, show_metrics

# Its script comes from an address of its own, because no page may hold one; Swagger's styles do not.
_reference = csp_update({"style-src": "'unsafe-inline'"})(SpectacularSwaggerSplitView.as_view(url_name="schema"))

urlpatterns = [
    path("", include("streaming.urls")),
    path("", include("accounts.urls")),
    path("", include("market.urls")),
    path("", include("trading.urls")),
    path("admin/", include("streaming.staff")),
    path("admin/", admin.site.urls),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", show_metrics, name="metrics"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", _reference, name="api-docs"),
]

handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"
