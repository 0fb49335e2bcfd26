"""What happens when a script is played? The engine does it, the laws and the naive model judge every step.

The engine is driven as its runner drives it: a command gets the prices that `products_needed` names; a quote first
lets expire what has to, then does what it reaches, one trigger after the other; what changed something is journaled.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.commands import Command, Expire, Input, SetTerms, Trigger
from engine.decide import products_needed
from engine.values import AccountId, Market, Quote
from simulation.compare import Comparison
from simulation.laws import Laws, Violation, demand, waiting_in
from simulation.script import Committed, Do, Quoted, Step, Waited
from simulation.situations import Situations
from trading.book import Book, LoggedEvent, Record
from trading.live import Answer

REPLAY_LAW = "law 5: a replay gives the same"


class Entry(NamedTuple):
    """An input that changed something, and what was written and said of it."""

    entry: Input
    log: tuple[LoggedEvent, ...]
    answer: Answer


@dataclass(slots=True)
class Driver:
    """A world in which a script is played. Call `play` for each step; it raises `Violation`."""

    naive: bool = True
    situations: Situations = field(default_factory=Situations)
    book: Book = field(default_factory=Book)
    laws: Laws = field(default_factory=Laws)
    markets: dict[str, Market] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    committed: int = 0
    comparison: Comparison | None = None
    decided: int = 0

    def __post_init__(self) -> None:
        if self.naive:
            self.comparison = Comparison()

    def play(self, step: Step) -> None:
        """Do one step and judge it."""
        try:
            self._play(step)
        except Violation:
            raise
        except Exception as error:
            raise Violation("the engine raises nothing", f"{type(error).__name__}: {error}") from error

    def play_all(self, script: Iterable[Step]) -> None:
        for step in script:
            self.play(step)
        self.check_all()

    def check_all(self) -> None:
        """Judge everything there is, and not only what was touched."""
        self.laws.check_all(self.book)
        if self.comparison is not None:
            self.comparison.check_all(self.book.state)

    def _play(self, step: Step) -> None:
        if isinstance(step, Do):
            self._do(step.command, step.time_ms)
        elif isinstance(step, Quoted):
            self._quoted(step)
        elif isinstance(step, Waited):
            self._expire(self.book.state.expired(step.time_ms), step.time_ms)
        elif isinstance(step, Committed):
            self.committed = len(self.journal)
            if self.comparison is not None:
                self.comparison.commit()
        else:
            self._crash()

    def _do(self, command: Command, time_ms: int) -> Record:
        self.decided += 1
        state = self.book.state
        needed = products_needed(state, command)
        entry = Input(command, time_ms, {name: self.markets[name] for name in needed if name in self.markets})
        self.situations.before(state, entry)
        record = self.book.handle(entry)
        if record.serial:
            self.journal.append(Entry(entry, record.log, record.answer))
        self.laws.check(self.book, record)
        if self.comparison is not None:
            self.comparison.check(self.book.state, record, self.markets)
        self.situations.after(record)
        return record

    def _quoted(self, step: Quoted) -> None:
        market = Market(step.bid, step.ask, step.state)
        self.markets[step.product] = market
        quote = quote_of(step)
        state = self.book.state
        due, reached = state.expired(step.time_ms), state.reached(quote)
        self.situations.quoted(step, state, due, reached)
        self._expire(due, step.time_ms)
        if due:
            reached = state.reached(quote)
        if reached and not state.owners.keys() >= set(reached):
            raise Violation("index", f"of what is gone, {reached}")
        if self.comparison is not None:
            self.comparison.check_reached(step.product, market, reached)
        waiting = dict.fromkeys(reached)
        if waiting:
            self._trigger(waiting, next(iter(waiting)), step.time_ms)
        if step.meanwhile is not None:
            asked_for = getattr(step.meanwhile, "id", "")
            if asked_for in waiting:
                # The quote was first: what it has reached cannot be got rid of by a quick command.
                self._trigger(waiting, asked_for, step.time_ms)
            self._do(step.meanwhile, step.time_ms)
        for identifier in list(waiting):
            self._trigger(waiting, identifier, step.time_ms)

    def _trigger(self, waiting: dict[str, None], identifier: str, time_ms: int) -> None:
        """Do what the quote has reached, if it is still open."""
        del waiting[identifier]
        account = self.book.state.owners.get(identifier)
        if account is None:
            self.situations.counts["overtaken"] += 1
        else:
            self._do(Trigger(account=account, id=identifier), time_ms)

    def _expire(self, due: Collection[str], time_ms: int) -> None:
        if self.comparison is not None:
            self.comparison.check_expired(time_ms, due)
        for identifier in due:
            self._do(Expire(account=self.book.state.owners[identifier], id=identifier), time_ms)

    def _crash(self) -> None:
        """Begin again with what was committed; if nothing was lost, everything is as it was."""
        before, lost = self.book, len(self.journal) - self.committed
        del self.journal[self.committed :]
        self.book, self.laws = replayed(self.journal)
        self.situations.crashed(before.state, self.book.state, lost)
        self.markets.clear()
        if not lost:
            demand(appearance(before) == appearance(self.book), REPLAY_LAW, "another state")
            check_commuting(self.journal, self.book)
        if self.comparison is not None:
            self.comparison.crash()
        self.check_all()


def quote_of(step: Quoted) -> Quote:
    return Quote(step.product, step.bid, step.ask, step.bid, step.bid, step.time_ms, 0)


def replayed(journal: Iterable[Entry]) -> tuple[Book, Laws]:
    """Return what a journal makes of nothing; the laws hold at every step, and each entry says again what it said."""
    book, laws = Book(), Laws()
    for kept in journal:
        record = book.handle(kept.entry)
        demand(record.log == kept.log, REPLAY_LAW, "log", kept.entry, record.log, kept.log)
        demand(record.answer == kept.answer, REPLAY_LAW, "answer", kept.entry, record.answer, kept.answer)
        laws.check(book, record)
    return book, laws


def check_commuting(journal: Iterable[Entry], book: Book) -> None:
    """Do the same again, between changed terms one account after the other: every account says and has the same."""
    other, law = Book(), "law 6: commands of different accounts commute"
    for kept in regrouped(journal):
        record = other.handle(kept.entry)
        demand(record.log == kept.log, law, "log", kept.entry, record.log, kept.log)
        demand(record.answer == kept.answer, law, "answer", kept.entry, record.answer, kept.answer)
    demand(other.state.accounts == book.state.accounts, law, "accounts")
    demand(other.state.house == book.state.house, law, "house")


def regrouped(journal: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries so that an account's follow one another wherever they may."""
    waiting: list[Entry] = []
    for kept in journal:
        if isinstance(kept.entry.command, SetTerms):
            yield from sorted(waiting, key=_account)
            yield kept
            waiting.clear()
        else:
            waiting.append(kept)
    yield from sorted(waiting, key=_account)


def _account(kept: Entry) -> AccountId:
    command = kept.entry.command
    assert not isinstance(command, SetTerms)
    return command.account


def appearance(book: Book) -> tuple[object, ...]:
    """Return all that a book knows, in its order, to be compared with another's."""
    state = book.state
    accounts = [
        (name, account.cash, account.margin, list(account.orders.items()), list(account.positions.items()))
        for name, account in state.accounts.items()
    ]
    waiting = [(product, list(waiting_in(state, product))) for product in state.terms]
    kept = state.terms, state.house, list(state.requests.items()), list(state.owners.items())
    return accounts, waiting, kept, book.offsets, book.serial, book.ledger_serial
