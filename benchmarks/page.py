"""What the dashboard costs a browser: bytes of the first load, time to the first live price, frames under load.

    python -m benchmarks.page [--seconds N] [--loads N]

Server, publisher and Chromium share this machine: a frame that is late may be late because of the other two.
"""

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks import report
from tests.browser.conftest import Traffic
from tests.journeys.clients import tick_client
from tests.journeys.harness import RELAXED, Server
from tools import chromium

QUOTES_PER_S = 1_000
BURST_MS = 20
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
VIEW = {"width": 1440, "height": 900}
READY = "#legend:not([hidden])"
"""Shown when there are prices and candles. (Waiting for a function needs `unsafe-eval`, which the page forbids.)"""

PRODUCTS = """
import json
from market.models import Product
print(json.dumps([[p.symbol, str(p.start_price), p.digits] for p in Product.objects.all()]))
"""

FIRST_PRICE = """
addEventListener("DOMContentLoaded", () => {
  const seen = new MutationObserver(() => {
    if (!document.querySelector("#watch .big:not(:empty)")) return;
    window.firstPriceMs = performance.now();
    seen.disconnect();
  });
  seen.observe(document.body, {subtree: true, childList: true, characterData: true});
});
"""

FRAMES = """
(seconds) => new Promise((resolve) => {
  const tasks = [];
  const note = (list) => tasks.push(...list.getEntries().map(({duration}) => duration));
  new PerformanceObserver(note).observe({type: "longtask"});
  const began = performance.now();
  const gaps = [];
  let last = began;
  const frame = (now) => {
    gaps.push(now - last);
    last = now;
    if (now - began < seconds * 1000) return requestAnimationFrame(frame);
    resolve({gaps, tasks, ms: now - began});
  };
  requestAnimationFrame(frame);
})
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One first load, nothing cached: what came over the wire, and when the first price was there."""

    traffic: Traffic
    first_price_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description="What the dashboard costs a browser.")
    parser.add_argument("--seconds", type=int, default=20, help="how long frames are counted")
    parser.add_argument("--loads", type=int, default=5, help="how many first loads")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder), "--feed", "none", env=RELAXED) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.ensure(), args=FLAGS)
        cookies = _logged_in(browser, server)
        with _publishing(server, QUOTES_PER_S // 20):
            loads = [_load(browser, server, cookies) for _ in range(options.loads)]
        with _publishing(server, QUOTES_PER_S):
            frames = _frames(browser, server, cookies, options.seconds)
        browser.close()
    lines = [
        "# The dashboard in a browser",
        "",
        *report.machine(),
        "",
        *_loads_table(loads),
        "",
        *_frames_table(frames),
    ]
    print("\n".join(lines))
    print(f"\nwritten to {report.write('page', lines)}")


def _logged_in(browser: Browser, server: Server) -> Any:
    page = browser.new_page(base_url=server.url)
    page.goto("/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(server.shown_once("password"))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("#watch [data-product]")
    return page.context.storage_state()


@contextmanager
def _publishing(server: Server, per_s: int) -> Iterator[None]:
    """Publish so many quotes a second, over all products, until the end of the block."""
    key = server.issue_key("publisher", "--scope", "market", "--scope", "feed")
    rows = json.loads(server.manage("shell", "-c", PRODUCTS).splitlines()[-1])
    ended = threading.Event()
    thread = threading.Thread(target=_publish, args=(server, key.secret, rows, per_s, ended))
    thread.start()
    try:
        time.sleep(1)  # every product has a price
        yield
    finally:
        ended.set()
        thread.join()


def _publish(server: Server, secret: str, rows: Sequence[Any], per_s: int, ended: threading.Event) -> None:
    dice = random.Random(1)
    burst = per_s * BURST_MS // 1000
    next_s, index = time.monotonic(), 0
    with tick_client(server, secret) as feed:
        while not ended.is_set():
            chosen = [rows[(index + number) % len(rows)] for number in range(burst)]
            index += burst
            feed.ask({"type": "publish", "ticks": [_tick(dice, *row) for row in chosen]})
            next_s += BURST_MS / 1000
            time.sleep(max(0.0, next_s - time.monotonic()))


def _tick(dice: random.Random, symbol: str, start: str, digits: int) -> list[object]:
    step = Decimal(1).scaleb(-digits)
    bid = Decimal(start).quantize(step) + dice.randint(-50, 50) * step
    return [symbol, str(bid), str(bid + 3 * step), int(time.time() * 1000)]


def _load(browser: Browser, server: Server, cookies: Any) -> Load:
    page = _page(browser, server, cookies)
    traffic = Traffic(page)
    page.goto("/")
    page.wait_for_selector(READY)
    first_price_ms = float(page.evaluate("() => window.firstPriceMs"))
    page.wait_for_timeout(3_000)  # the lines of the list come behind
    page.context.close()
    return Load(traffic, first_price_ms)


def _frames(browser: Browser, server: Server, cookies: Any, seconds: int) -> dict[str, Any]:
    page = _page(browser, server, cookies)
    page.goto("/")
    page.wait_for_selector(READY)
    page.wait_for_timeout(2_000)
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    before = _busy(client)
    measured: dict[str, Any] = page.evaluate(FRAMES, seconds)
    measured["busy"] = {name: spent - before[name] for name, spent in _busy(client).items()}
    page.context.close()
    return measured


def _busy(client: CDPSession) -> dict[str, float]:
    """Return what the page's main thread has spent so far, by kind, in seconds."""
    metrics = {metric["name"]: metric["value"] for metric in client.send("Performance.getMetrics")["metrics"]}
    return {name: metrics[f"{name}Duration"] for name in ("Script", "RecalcStyle", "Layout", "Task")}


def _page(browser: Browser, server: Server, cookies: Any) -> Page:
    """Return a page of a fresh profile."""
    page = browser.new_context(base_url=server.url, storage_state=cookies, viewport=VIEW).new_page()  # type: ignore[arg-type]
    page.add_init_script(FIRST_PRICE)
    return page


def _loads_table(loads: Sequence[Load]) -> list[str]:
    times = [load.first_price_ms for load in loads]

    def middle(of: Callable[[Traffic], int]) -> str:
        return f"{statistics.median(of(load.traffic) for load in loads):,.0f}"

    return report.table(
        ["first load", "value"],
        [
            ["page, scripts, styles, chart library: bytes, compressed",
             middle(lambda traffic: traffic.of("Document", "Script", "Stylesheet", "Image"))],
            ["answers of REST: bytes", middle(lambda traffic: traffic.of("Fetch", "XHR", "Preload", "Other"))],
            ["headers: bytes", middle(lambda traffic: traffic.headers)],
            ["answers", middle(lambda traffic: traffic.answers)],
            ["time to the first live price, median", f"{statistics.median(times):.0f} ms"],
            [f"the slowest of {len(times)}", f"{max(times):.0f} ms"],
        ],
    )  # fmt: skip


def _frames_table(measured: dict[str, Any]) -> list[str]:
    gaps, tasks = measured["gaps"], measured["tasks"]
    return report.table(
        [f"under {QUOTES_PER_S:,} quotes a second", "value"],
        [
            ["frames a second", f"{len(gaps) * 1000 / measured['ms']:.1f}"],
            ["time between frames, median / 99 % / longest",
             f"{statistics.median(gaps):.1f} / {report.quantile(gaps, 0.99):.1f} / {max(gaps):.1f} ms"],
            [f"tasks of more than 50 ms in {measured['ms'] / 1000:.0f} s", f"{len(tasks)}"],
            ["the longest of them", f"{max(tasks):.0f} ms" if tasks else "none"],
            ["main thread busy: all / script / style / layout", " / ".join(
                f"{measured['busy'][name] * 100_000 / measured['ms']:.0f} %"
                for name in ("Task", "Script", "RecalcStyle", "Layout")
            )],
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
