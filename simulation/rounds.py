"""How is a simulation made of rounds? Each begins with an empty engine and has a script of its own.

A round's chance comes of the seed and its number alone, so any round can be played again without the others.
"""

from decimal import Decimal
from random import Random

from msgspec.structs import replace

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
)
from engine.values import AccountId
from simulation.driver import Driver, quote_of
from simulation.laws import Violation
from simulation.script import Committed, Crashed, Do, Quoted, Step, Waited
from simulation.situations import Situations
from simulation.traders import ACCOUNTS, LATE, Traders
from simulation.world import BEGIN_MS, Path, random_paths, random_pause_ms

ROUND_COMMANDS = 5_000
"""Long enough for a full house, short enough to be replayed at every crash."""

CHECK_ALL_EVERY = 1_000
CROWDED_EVERY = 8
"""Of so many rounds one begins with as many orders of one account as it may have."""

CROWD = AccountId("demo", 1)
CROWD_ORDERS = 1_005


CRASH_EVERY = 6
"""Of so many rounds one has a crash in good order and one a crash that loses something: a replay takes its time."""

NEVER = 10**12


class Failed(Exception):
    """A law did not hold in a round; `script` is what was played until then."""

    def __init__(self, violation: Violation, number: int, script: list[Step]) -> None:
        super().__init__(str(violation))
        self.violation = violation
        self.number = number
        self.script = script


class Round:
    """One world's life. `commands` counts what was asked for; quotes, triggers and expiries do not count."""

    def __init__(self, seed: str, number: int, *, target: int, naive: bool, situations: Situations) -> None:
        self.number = number
        self.commands = 0
        self.open_trades: list[int] = []
        self.script: list[Step] = []
        self._now_ms = BEGIN_MS
        self._chance = Random(f"{seed}/{number}")
        self._paths = random_paths(self._chance)
        self._products = list(self._paths.values())
        self._traders = Traders(self._chance, self._paths, target)
        situations.new_world()
        self.driver = Driver(naive, situations)

    def run(self, commands: int) -> None:
        """Play so many commands; raises `Failed`."""
        check_at = CHECK_ALL_EVERY
        in_order, losing = self.number % CRASH_EVERY == 2, self.number % CRASH_EVERY == 5
        crash_at = self._chance.randrange(commands // 10, commands) if in_order or losing else NEVER
        try:
            self._begin()
            while self.commands < commands:
                self._turn()
                if self.commands >= crash_at:
                    self._crash(in_order)
                    crash_at = NEVER
                if self.commands >= check_at:
                    self.driver.check_all()
                    self.open_trades.append(len(self.driver.book.state.owners))
                    check_at += CHECK_ALL_EVERY
            self.driver.check_all()
        except Violation as violation:
            raise Failed(violation, self.number, self.script) from violation

    def _begin(self) -> None:
        self._set_terms()
        for account in ACCOUNTS:
            if account != LATE:
                self._ask(OpenAccount(account=account))
            if account.environment == "live":
                self._ask(Deposit(account=account, amount=Decimal(50)))
        for path in self._products[:-1]:
            self._play(path.step(self._chance, self._now_ms))
        if self.number % CROWDED_EVERY == CROWDED_EVERY - 1:
            self._crowd(self._products[0])

    def _set_terms(self) -> None:
        """Make the products' terms known, as every start of the engine does."""
        for path in self._products:
            self._ask(SetTerms(terms=path.terms))

    def _crowd(self, path: Path) -> None:
        """Place more orders than an account may have, far from the market; then it may begin again."""
        for ticks in range(1, CROWD_ORDERS + 1):
            self._ask(
                PlaceOrder(
                    account=CROWD, id=self._traders.identifier(), product=path.terms.product, side="buy",
                    type="pending", leverage=Decimal(1), amount=1, price=path.price(ticks),
                )
            )  # fmt: skip
        self._ask(ResetAccount(account=CROWD))

    def _turn(self) -> None:
        """A command, and every second time a quote; now and then a commit."""
        self._now_ms += random_pause_ms(self._chance)
        luck = self._chance.random()
        if luck < 0.5:
            self._quote()
        elif luck < 0.55:
            self._play(Committed())
        elif luck < 0.56:
            self._play(Waited(self._now_ms))
        self._ask(self._traders.command(self.driver.book.state, self._now_ms))

    def _quote(self) -> None:
        path = self._chance.choice(self._products)
        step = path.step(self._chance, self._now_ms)
        if self._chance.random() < 0.05:
            self.commands += 1
            step = replace(step, meanwhile=self._meanwhile(step))
        self._play(step)

    def _meanwhile(self, step: Quoted) -> Command:
        """Return what somebody asks for while a quote's triggers are under way: often to end what is reached."""
        state = self.driver.book.state
        reached = [identifier for identifier in state.reached(quote_of(step)) if identifier in state.owners]
        luck = self._chance.random()
        if len(reached) < 2 or luck < 0.4:
            return self._traders.command(state, self._now_ms)
        identifier = self._chance.choice(reached[1:])
        account = state.owners[identifier]
        if luck < 0.7:
            return ResetAccount(account=account)
        end = CancelOrder if identifier in state.accounts[account].orders else ClosePosition
        return end(account=account, id=identifier)

    def _crash(self, in_order: bool) -> None:
        """Crash; then the clients send again what they had no answer to, and some begin again."""
        if in_order:
            self._play(Committed())
        self._play(Crashed())
        self._set_terms()
        for order in list(self._traders.sent)[-5:]:
            self._ask(order)
        for account in self._chance.sample(ACCOUNTS, 4):
            self._ask(ResetAccount(account=account))

    def _ask(self, command: Command) -> None:
        self.commands += 1
        self._play(Do(command, self._now_ms))

    def _play(self, step: Step) -> None:
        self.script.append(step)
        self.driver.play(step)
