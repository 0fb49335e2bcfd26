"""What the engine costs: a quote that triggers nothing, a thousand triggers at once, a start with 100,000 positions.

    python -m benchmarks.engine [--positions N]

Every measurement runs on the product's own parts (book, desk, journal, load), in a process of its own per database.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import Progress

from benchmarks import report
from benchmarks.databases import start_postgres
from benchmarks.pace import TURNS, Pace
from tests.journeys.harness import environment, fresh_database

PRODUCT = "EUR-USD"
PER_ACCOUNT = 100
POLL_S = 0.0005
TRIGGERED = 1_000
LEVELS = [Decimal(text) for text in ("1.09000", "1.10000", "1.11000", "1.12000", "1.13000")]
"""Prices that so many positions wait for each: it is measured as often."""
ROUNDS = 20_000
BATCH = 256
BID, ASK = Decimal("1.08500"), Decimal("1.08502")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=100_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)  # the process that measures
    options = parser.parse_args()
    if options.positions < TRIGGERED * len(LEVELS):
        parser.error(f"--positions is at least {TRIGGERED * len(LEVELS)}: so many are triggered")
    if options.inside:
        print(json.dumps(inside(options.positions)))
        return
    lines = ["# The engine", "", *report.machine(), ""]
    with ExitStack() as resources, Progress() as progress:
        task = progress.add_task("", total=2)
        start_postgres(resources)
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        for name, url in (("SQLite", ""), ("PostgreSQL", resources.enter_context(fresh_database()))):
            progress.update(task, description=name)
            env = environment(folder, {"DATABASE_URL": url} if url else {})
            command = [sys.executable, "-m", "benchmarks.engine", "--inside", "--positions", str(options.positions)]
            said = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
            rows = json.loads(said.splitlines()[-1])
            lines += [f"## {name}", "", *report.table(["what", "figure"], rows), ""]
            progress.advance(task)
    print("\n".join(lines))
    print(report.write("engine", lines))


def inside(positions: int) -> list[list[str]]:
    """Return the rows of one database's table."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from config.management.commands.serve import settle
    from config.preparation import migrate
    from market.models import Product
    from market.seed import products_seed

    migrate()
    products_seed()
    from trading.lease import take_lease
    from trading.load import load_book

    lease = take_lease("benchmark")
    assert lease is not None
    turn_s = Pace().now_s()
    rows = [[f"the machine: {TURNS:,} turns of an empty loop", f"{turn_s * 1e3:.1f} ms"]]
    rows += [["a quote that triggers none, 10 open positions", f"{quote_us(small_book()):.2f} µs"]]
    begun_s = time.perf_counter()
    fill(positions, lease.fence)
    seconds = time.perf_counter() - begun_s
    rows.append([f"{positions:,} positions opened, written in batches of {BATCH}", f"{positions / seconds:,.0f}/s"])
    begun_s = time.perf_counter()
    book = load_book()
    rows.append([f"start-up: {positions:,} positions loaded", f"{time.perf_counter() - begun_s:.2f} s"])
    settle()
    rows.append([f"a quote that triggers none, {positions:,} open positions", f"{quote_us(book):.2f} µs"])
    rows += asyncio.run(triggers(book, lease.fence, dict(Product.objects.values_list("name", "pk"))))
    lease.release()
    return rows


def small_book() -> Any:
    from trading.book import Book

    book = Book()
    for number in range(10):
        opened(book, number, take_profit=None)
    return book


def opened(book: Any, number: int, *, take_profit: Decimal | None) -> list[Any]:
    """Open a position (and what has to be there before); return the records."""
    from engine.commands import Deposit, Input, OpenAccount, PlaceOrder, SetTerms
    from engine.values import AccountId, Market
    from market.models import Product

    account = AccountId("live", 1 + number // PER_ACCOUNT)
    commands: list[Any] = []
    if PRODUCT not in book.state.terms:
        commands += [SetTerms(terms=row.terms()) for row in Product.objects.all()]
    if account not in book.state.accounts:
        commands += [OpenAccount(account=account), Deposit(account=account, amount=Decimal(1_000))]
    # Distinct levels, as many positions have: entry and leverage differ.
    leverage = Decimal(50 + number % 200)
    commands.append(
        PlaceOrder(
            account=account, id=str(uuid.uuid4()), product=PRODUCT, side="buy", type="market", leverage=leverage,
            amount=1 + number % 1_000, take_profit=take_profit,
        )
    )  # fmt: skip
    markets = {PRODUCT: Market(BID, ASK)}
    return [book.handle(Input(command, 1_000 + number, markets)) for command in commands]


def fill(positions: int, fence: int) -> None:
    """Write positions of which the first have a take profit, `TRIGGERED` of them at each of `LEVELS`."""
    from accounts.models import User
    from trading.book import Book
    from trading.journal import Journal
    from trading.rows import rows_to_write

    User.objects.bulk_create(User(pk=1 + at, username=f"user{at}") for at in range(1 + positions // PER_ACCOUNT))
    book, waiting = Book(), []
    with Journal() as journal:
        for number in range(positions):
            level, waits = number // TRIGGERED, number < TRIGGERED * len(LEVELS)
            waiting += opened(book, number, take_profit=LEVELS[level] if waits else None)
            if len(waiting) >= BATCH or number == positions - 1:
                journal.write(rows_to_write(waiting), fence)
                waiting = []


def quote_us(book: Any) -> float:
    """Return what the engine's part of a quote costs that reaches nothing."""
    from engine.values import Quote

    quotes = [
        Quote(PRODUCT, BID + Decimal(at) / 100_000, ASK + Decimal(at) / 100_000, BID, BID, 0, at) for at in range(50)
    ]
    reached = book.state.reached
    begun_s = time.perf_counter()
    for at in range(ROUNDS):
        if reached(quotes[at % 50]):
            raise RuntimeError("this quote was to reach nothing")
    return (time.perf_counter() - begun_s) / ROUNDS * 1e6


async def triggers(book: Any, fence: int, products: dict[str, int]) -> list[list[str]]:
    """Return what a quote costs that a thousand positions wait for: medians, and the longest piece of all."""
    from django.db import connection

    from engine.values import Market, Quote
    from trading.desk import Desk
    from trading.journal_process import JournalProcess
    from trading.rows import STORED_ID, packed, rows_of

    loop = asyncio.get_running_loop()
    pieces_s: list[float] = []
    work_s: list[float] = []
    journal = JournalProcess(lambda: sys.exit("the journal has gone"))
    await journal.start()
    await journal.write([], fence, [])  # it has come up

    def timed(call: Callable[[], None]) -> None:
        begun_s, thread_s = time.perf_counter(), time.thread_time()
        call()
        work_s.append(time.thread_time() - thread_s)
        pieces_s.append(time.perf_counter() - begun_s)

    def commit(batch: Any) -> Any:
        return journal.write([waiting.rows for waiting in batch if waiting.rows], fence, [])

    desk = Desk(
        book, packed=lambda record: packed(rows_of(record, products, STORED_ID[connection.vendor])), commit=commit,
        market=lambda _: Market(BID, ASK), clock_ms=lambda: 10**6, announce=lambda _: None,
        failed=lambda error: sys.exit(str(error)), call_soon=lambda call: loop.call_soon(partial(timed, call)),
    )  # fmt: skip
    rounds: list[tuple[float, ...]] = []
    for at in LEVELS:
        pieces_s.clear()
        work_s.clear()
        written_s, begun_s = worked_s(journal.pid), time.perf_counter()
        timed(partial(desk.on_quote, Quote(PRODUCT, at, at, at, at, 0, 1)))
        while not desk.idle:  # noqa: ASYNC110  # the loop sleeps while the journal writes, as a server's does
            await asyncio.sleep(POLL_S)
        seconds = time.perf_counter() - begun_s
        rounds.append((seconds, sum(work_s), worked_s(journal.pid) - written_s, max(work_s), max(pieces_s)))
    journal.kill()
    journal.wait()
    all_s, loop_s, journal_s = (median(each[at] for each in rounds) for at in range(3))
    longest_s, waited_s = (max(each[at] for each in rounds) for at in (3, 4))
    return [
        [f"{TRIGGERED:,} triggers at once: until the last is committed", f"{all_s * 1000:.0f} ms"],
        ["… the engine's work on the loop, in all", f"{loop_s * 1000:.0f} ms"],
        ["… the work of the journal's process, in all", f"{journal_s * 1000:.0f} ms"],
        ["… the longest piece of the loop's work", f"{longest_s * 1000:.2f} ms"],
        ["… the same with its waits for a processor", f"{waited_s * 1000:.2f} ms"],
    ]


def worked_s(pid: int) -> float:
    """Return how long a process has had a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()
