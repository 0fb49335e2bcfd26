"""One engine writes: whoever holds the lease, until it dies, hangs or lets go."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.database import released
from engine.commands import Input, OpenAccount
from tests.trading.books import given_accounts, given_engine
from tests.trading.children import child
from trading.lease import STALE_S, Lease, LeaseLost, take_lease
from trading.load import load_book
from trading.models import EngineLease
from trading.rows import rows_to_write

pytestmark = pytest.mark.django_db(transaction=True)

HOLD = """
from trading.lease import LeaseLost, take_lease
lease = take_lease("a child")
print(lease.fence, flush=True)
sys.stdin.readline()
try:
    lease.beat()
    print("still holds it", flush=True)
except LeaseLost:
    print("lost it", flush=True)
sys.stdin.readline()
"""

# It stops itself in the midst of its transaction, and says afterwards what came of it.
HANG = """
from decimal import Decimal
from engine.commands import Deposit, Input
from trading import journal
from trading.journal import Journal
from trading.lease import take_lease
from trading.load import load_book
from trading.rows import rows_to_write
lease = take_lease("a child")
book = load_book()
account = next(iter(book.state.accounts))
record = book.handle(Input(Deposit(account=account, amount=Decimal(1)), 2_000))
print(lease.fence, flush=True)
sys.stdin.readline()
journal.at_point = lambda point: os.kill(os.getpid(), signal.SIGSTOP) if point == "after_rows" else None
try:
    Journal().write(rows_to_write([record]), lease.fence)
    print("wrote", flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
sys.stdin.readline()
"""


def taken(holder: str = "this test") -> Lease:
    lease = take_lease(holder)
    assert lease is not None
    return lease


def taken_within(seconds: float) -> Lease:
    """Try as a standby does, without a pause."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        lease = take_lease("a standby")
        if lease is not None:
            return lease
    raise AssertionError(f"not taken within {seconds} s")


def let_it_grow_old() -> None:
    """Make the last beat as old as that of a holder that hangs."""
    EngineLease.objects.update(beat_at=timezone.now() - timedelta(seconds=STALE_S + 0.1))


def test_one_holds_it_at_a_time():
    first = taken()
    assert take_lease("another") is None
    first.beat()
    assert first.held()
    first.release()
    second = taken()
    assert second.fence == first.fence + 1
    second.release()
    second.release()


def test_the_row_says_who_holds_it_and_since_when():
    lease = taken("host-7:4711")
    row = EngineLease.objects.get()
    assert (row.fence, row.holder, row.epoch) == (lease.fence, "host-7:4711", lease.epoch)
    assert row.taken_at is not None
    assert row.taken_at == row.beat_at
    lease.release()


def test_a_beat_is_written_down():
    lease = taken()
    let_it_grow_old()
    lease.beat()
    row = EngineLease.objects.get()
    assert row.beat_at is not None
    assert row.beat_at > timezone.now() - timedelta(seconds=STALE_S)
    assert take_lease("another") is None
    lease.release()


def test_who_was_deposed_notices():
    lease = taken()
    EngineLease.objects.update(fence=lease.fence + 1)
    assert not lease.held()
    with pytest.raises(LeaseLost):
        lease.beat()
    lease.release()


def test_after_its_holder_was_killed_another_takes_it_at_once():
    with child(HOLD) as holder:
        fence = int(holder.line())
        assert take_lease("another") is None
        holder.kill()
        lease = taken_within(2)
    assert lease.fence == fence + 1
    lease.release()


def test_a_holder_that_hangs_is_deposed_and_notices_when_it_wakes_up():
    with child(HOLD) as holder:
        fence = int(holder.line())
        holder.freeze()
        assert take_lease("too early") is None
        let_it_grow_old()
        lease = taken()
        assert lease.fence == fence + 1
        lease.beat()
        holder.thaw()
        holder.go_on()
        assert holder.line() == "lost it"
        assert take_lease("a third") is None
        lease.beat()
    lease.release()
    taken().release()


def test_a_holder_that_hangs_in_the_midst_of_a_transaction_has_written_nothing_when_it_wakes_up():
    [account] = given_accounts(1)[1:]
    with given_engine() as (journal, fence):
        record = load_book().handle(Input(OpenAccount(account=account), 1_000))
        journal.write(rows_to_write([record]), fence)
    with child(HANG) as holder:
        fence = int(holder.line())
        let_it_grow_old()
        holder.go_on()
        holder.wait_until_frozen()
        if connection.vendor == "sqlite":
            # It has the whole database locked; nobody takes over before it is gone.
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 10")
            with pytest.raises(OperationalError):
                take_lease("a standby")
            holder.kill()
            lease = taken()
        else:
            lease = taken()
            holder.thaw()
            assert holder.line() == "Fenced"
        assert lease.fence == fence + 1
        assert load_book().state.accounts[account].cash == 10
        lease.release()


def test_of_several_standbys_one_takes_over():
    with child(HOLD) as holder:
        fence = int(holder.line())
        holder.freeze()
        let_it_grow_old()
        with ThreadPoolExecutor(4) as threads:
            tries = [threads.submit(released, partial(take_lease, f"standby {number}")) for number in range(4)]
            leases = [one.result() for one in tries]
    got = [lease for lease in leases if lease is not None]
    assert [lease.held() for lease in got].count(True) == 1
    assert max(lease.fence for lease in got) == fence + len(got)
    for lease in got:
        lease.release()


def test_a_new_epoch_is_another_name_for_the_history():
    lease = taken()
    lease.release()
    call_command("new_epoch", verbosity=0)
    again = taken()
    assert again.epoch != lease.epoch
    again.release()


def test_a_new_epoch_is_beyond_every_fence_of_the_history_that_was_lost():
    taken().release()
    backup = EngineLease.objects.values().get()
    lost = taken()
    lost.release()
    for _ in range(2):  # a backup is restored, and some day the same one again
        EngineLease.objects.update(**backup)
        call_command("new_epoch", verbosity=0)
        begun = taken()
        assert begun.fence > lost.fence
        assert not lost.held()
        begun.release()
        lost = begun


def test_an_epoch_may_be_made_before_there_ever_was_an_engine():
    call_command("new_epoch", verbosity=0)
    lease = taken()
    assert lease.epoch == EngineLease.objects.get().epoch
    lease.release()
