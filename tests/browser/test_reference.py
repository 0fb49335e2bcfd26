"""The REST reference in a real browser: it renders under the site's own content security policy."""

from playwright.sync_api import expect


def test_the_rest_reference_lists_the_calls(page):
    page.goto("/api/docs")
    expect(page.locator(".opblock", has_text="/trading/quotes/{products}")).to_be_visible()
    expect(page.locator(".opblock", has_text="/account/keys").first).to_be_visible()
