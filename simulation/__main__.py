"""Run the simulation.

python -m simulation [--seed N] [--commands N] [--no-naive] [--open N] [--bug NAME | --all-bugs]
"""

import argparse
import secrets
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from simulation.bugs import BUGS
from simulation.run import Failure, Outcome, Plan, shortest, simulate
from simulation.script import as_test
from simulation.situations import SITUATIONS

MINUTE_COMMANDS = 200_000
"""What two cores do in about a minute."""

SHRINK_S = 60


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for and return the exit code: 0 if all laws held, or if the planted fault was found."""
    options = _options(arguments)
    console = Console()
    if options.all_bugs:
        return max(_hunt(console, options, name) for name in BUGS)
    if options.bug:
        return _hunt(console, options, options.bug)
    return _run(console, options)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation", description="Simulate the engine; see docs/simulation.md.")
    parser.add_argument("--seed", default=str(secrets.randbelow(10**6)), help="the same seed, the same run")
    parser.add_argument("--commands", type=int, default=MINUTE_COMMANDS)
    parser.add_argument("--naive", action=argparse.BooleanOptionalAction, default=True, help="compare with the model")
    parser.add_argument("--open", type=int, default=250, help="how many trades are to be open")
    parser.add_argument("--bug", choices=list(BUGS), default="", help="plant a fault that has to be found")
    parser.add_argument("--all-bugs", action="store_true", help="plant one fault after the other")
    return parser.parse_args(arguments)


def _plan(options: argparse.Namespace, bug: str = "") -> Plan:
    return Plan(
        seed=options.seed, commands=options.commands, target=options.open, naive=options.naive, bug=bug
    )  # fmt: skip


def _run(console: Console, options: argparse.Namespace) -> int:
    plan = _plan(options)
    outcome, seconds = _simulated(plan)
    average = sum(outcome.open_trades) // max(1, len(outcome.open_trades))
    console.print(
        f"seed {plan.seed}: {outcome.commands:,} commands were asked for, {outcome.decided:,} decided, with triggers "
        f"and expiries, in {seconds:.1f} s: {outcome.commands / seconds:,.0f} and {outcome.decided / seconds:,.0f} "
        f"commands/s, {average} trades open\n"
        f"digest of the logs {outcome.digest}",
        soft_wrap=True,
    )
    if outcome.failure is not None:
        _tell(console, plan, outcome.failure)
        return 1
    for name, says in SITUATIONS.items():
        console.print(f"{outcome.counts[name]:>9,}  {says}")
    if outcome.missing():
        console.print(f"never occurred: {', '.join(outcome.missing())}")
        return 1
    console.print("all laws held")
    return 0


def _hunt(console: Console, options: argparse.Namespace, bug: str) -> int:
    plan = _plan(options, bug)
    outcome, seconds = _simulated(plan)
    if outcome.failure is None:
        console.print(f"{bug}: not found in {outcome.commands:,} commands (seed {plan.seed})")
        return 1
    steps = len(outcome.failure.script)
    found = f"{bug}: found after {seconds:.1f} s, {steps:,} steps (seed {plan.seed}): {outcome.failure.law}"
    console.print(found, soft_wrap=True)
    if not options.all_bugs:
        _tell(console, plan, outcome.failure)
    return 0


def _simulated(plan: Plan) -> tuple[Outcome, float]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    began = time.monotonic()
    # On the other stream, where it does not mix with what is kept of the output.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(plan.bug or f"seed {plan.seed}", total=plan.commands)
        outcome = simulate(plan, advance=lambda so_far: progress.update(task, completed=so_far.commands))
    return outcome, time.monotonic() - began


def _tell(console: Console, plan: Plan, failure: Failure) -> None:
    """Print what there is to say of a failure: the way to see it again, and a short script as a test."""
    deadline = time.monotonic() + SHRINK_S
    script = shortest(plan, failure, lambda: time.monotonic() > deadline)
    naive = "" if plan.naive else " --no-naive"
    bug = f" --bug {plan.bug}" if plan.bug else ""
    again = f"python -m simulation --seed {plan.seed} --commands {plan.commands} --open {plan.target}{naive}{bug}"
    name = f"seed_{plan.seed}_round_{failure.number}"
    console.print(
        f"violated: {failure.says}\nagain: {again}\n{len(failure.script):,} steps, shrunk to {len(script)}:\n\n"
        f"{as_test(name, failure.law, script)}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
