"""The live page in a real browser, against a real server."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.conftest import assert_live, assert_moves, bid, log_in, row

PHONE = {"width": 390, "height": 844}


def legend_prices(page):
    """Return open, high, low and close as the legend over the chart shows them."""
    return [Decimal(text) for text in page.locator("#legend b").all_inner_texts()[:4]]


def newest_candle(server, product, resolution, signal):
    """Return open, high, low and close of the newest candle that REST has."""
    newest = server.get(f"/trading/candles/{product}/{resolution}?signal={signal}&limit=1")[0]
    return [Decimal(price) for price in newest[1:]]


# ---- prices


def test_logging_in_leads_to_prices_that_move(page, server):
    page.goto("/")
    assert "/login" in page.url
    log_in(page, server)
    assert_moves(page)


def test_every_product_has_a_quote_as_the_server_wrote_it(live, server):
    names = [entry[0] for group in server.get("/trading/products").values() for entry in group]
    assert live.locator("[data-product]").count() == len(names) == 20
    for name in names:
        expect(bid(live, name)).to_contain_text(".")
        digits = server.get(f"/trading/quotes/{name}")[name][1].partition(".")[2]
        assert len(bid(live, name).inner_text().partition(".")[2]) == len(digits)


def test_the_big_price_above_the_chart_moves_too_and_is_in_the_title(live):
    shown = live.locator("#chosen-bid").inner_text()
    expect(live.locator("#chosen-bid")).not_to_have_text(shown)
    # With the price before it; the title follows once a second.
    expect(live).to_have_title(re.compile(r"^[\d.]+ EUR/USD · Tickwire$"))


def test_without_products_nothing_seems_to_load_and_nothing_can_be_ordered(open_page, server, session):
    with open_page(server, expected=["503"], storage_state=session) as page:
        page.route("**/trading/products", lambda route: route.fulfill(status=503, json={"message": "Busy"}))
        page.goto("/")
        expect(page.locator("#watch-error")).to_be_visible()
        expect(page.locator("#chart-loading")).to_be_hidden()
        expect(page.locator("#ticket-send")).to_be_disabled()
        page.unroute("**/trading/products")
        page.get_by_role("button", name="Try again").click()
        assert_live(page)
        expect(page.locator("#ticket-send")).to_be_enabled()


# ---- the chart


def test_choosing_a_product_changes_the_chart(live):
    before = live.locator("#chart").screenshot()
    row(live, "BTC-USD").click()
    expect(live.locator("#chosen-name")).to_have_text("BTC-USD")
    assert_drawn(live)
    assert legend_prices(live)[0] > 1000
    assert live.url.endswith("#BTC-USD:1:mid")
    assert live.locator("#chart").screenshot() != before


def test_resolution_and_signal_are_drawn_as_rest_has_them(live, server):
    live.get_by_text("1D", exact=True).click()
    for signal in ("Bid", "Ask", "Mid"):
        live.locator("#signal").get_by_text(signal).click()
        assert_drawn(live)
        # A day's open stays; its close is another one every moment.
        assert legend_prices(live)[0] == newest_candle(server, "EUR-USD", "1D", signal.lower())[0]


def test_all_six_resolutions_have_candles_and_they_go_on_live(live):
    for resolution in ("5m", "15m", "1h", "4h", "1D", "1m"):
        live.get_by_text(resolution, exact=True).click()
        assert_drawn(live)
    close = live.locator("#legend b").nth(3)
    expect(close).not_to_have_text(close.inner_text())


def test_scrolling_left_loads_what_is_older(live):
    box = live.locator("#chart").bounding_box()
    live.mouse.move(box["x"] + 100, box["y"] + 200)
    live.mouse.down()
    with live.expect_response(lambda answer: "/trading/candles/" in answer.url and "end=" in answer.url) as older:
        live.mouse.move(box["x"] + 600, box["y"] + 200, steps=5)
        live.mouse.up()
        live.mouse.move(box["x"] + 100, box["y"] + 200)
        live.mouse.down()
        live.mouse.move(box["x"] + 600, box["y"] + 200, steps=5)
        live.mouse.up()
    assert len(older.value.json()) == 150


def test_a_link_to_a_choice_opens_it(open_page, server, session):
    with open_page(server, storage_state=session) as page:
        page.goto("/#XAU-USD:60:ask")
        assert_live(page)
        expect(page.locator("#chosen-name")).to_have_text("XAU-USD")
        assert page.get_by_label("1h").is_checked()
        assert page.get_by_label("Ask", exact=True).is_checked()


# ---- by keyboard


def test_the_table_can_be_used_with_the_keyboard_alone(live):
    live.keyboard.press("/")
    live.keyboard.type("gold")
    expect(live.locator("[data-product]:visible")).to_have_count(1)
    live.keyboard.press("ArrowDown")
    expect(live.locator("#chosen-name")).to_have_text("XAU-USD")
    live.keyboard.press("Escape")
    live.keyboard.press("Tab")
    expect(row(live, "XAU-USD")).to_be_focused()
    live.keyboard.press("ArrowUp")
    live.keyboard.press("ArrowUp")
    expect(live.locator("#chosen-name")).to_have_text("EUR-GBP")
    expect(row(live, "EUR-GBP")).to_be_focused()
    assert row(live, "EUR-GBP").get_attribute("aria-selected") == "true"
    assert_drawn(live)


# ---- the connection


def test_a_killed_server_is_told_of_and_the_page_comes_back_by_itself(open_page, server, session):
    # The shared server: it comes back with its data, and within the test.
    with open_page(server, expected=["ERR_CONNECTION"], storage_state=session) as page:
        page.goto("/")
        assert_live(page)
        server.kill()
        expect(page.locator("#connection-text")).to_contain_text("Reconnecting")
        expect(page.get_by_role("status").filter(has_text="Connection interrupted")).to_have_count(1)
        server.start(server.answers)
        assert_live(page)
        expect(page.get_by_role("status").filter(has_text="Connected")).to_have_count(1)
        assert_moves(page)
        close = page.locator("#legend b").nth(3)
        expect(close).not_to_have_text(close.inner_text())


def test_logging_out_elsewhere_stops_the_prices_and_leads_back(open_page, server):
    with open_page(server) as page:
        log_in(page, server)
        elsewhere = page.context.new_page()
        elsewhere.goto("/keys/")
        elsewhere.get_by_role("button", name="Log out").click()
        expect(page.locator("#connection-text")).to_have_text("Logged out")
        page.get_by_role("link", name="Log in again").click()
        expect(page.get_by_label("Password")).to_be_visible()


# ---- screens


def test_it_works_on_a_phone(open_page, server, session):
    with open_page(server, storage_state=session, viewport=PHONE, has_touch=True) as page:
        page.goto("/")
        assert_live(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
        expect(page.locator("#chart")).to_be_in_viewport(ratio=1)
        row(page, "USD-JPY").tap()
        expect(page.locator("#chosen-name")).to_have_text("USD-JPY")
        assert_drawn(page)
        expect(row(page, "USD-JPY").locator(".change")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Log out")).to_be_in_viewport(ratio=1)


def test_it_is_dark_or_light_as_the_system_is_and_the_chart_too(live):
    live.emulate_media(color_scheme="light")
    light = live.locator("#chart").screenshot()
    assert brightness(live) > 200
    live.emulate_media(color_scheme="dark")
    assert brightness(live) < 50
    assert live.locator("#chart").screenshot() != light


def test_the_other_pages_are_of_the_same_house(open_page, server, session):
    with open_page(server, storage_state=session, viewport=PHONE) as page:
        page.goto("/keys/")
        page.get_by_label("Label").fill("browser")
        page.get_by_role("button", name="Issue the key").click()
        expect(page.locator("#secret")).to_contain_text("tk_")
        assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
        page.get_by_role("link", name="Trading").click()
        assert_live(page)


def brightness(page):
    """Return how bright the page's ground is, 0 to 255."""
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return max(int(part) for part in colour.strip("rgb()").split(","))


def assert_drawn(page):
    """Wait until the chart shows bars."""
    for what in ("loading", "empty", "error"):
        expect(page.locator(f"#chart-{what}")).to_be_hidden()
    expect(page.locator("#legend")).to_be_visible()
