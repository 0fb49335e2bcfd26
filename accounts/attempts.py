"""How often may somebody try a password or a code? The same for every door, and counted in all processes."""

from django.conf import settings
from django.http import HttpRequest

from accounts.addresses import budget_subject, request_address
from accounts.limits import Budgets

PER_MINUTE = 10
"""Tries per address and per name: a person mistypes, a program guesses."""

CODES_PER_TEN_MINUTES = 10
"""Codes per user: of the million codes three are right at a time, and that has to stay a lottery."""

SIGN_UPS_PER_HOUR = 10
"""New users per address: a household or a class, not a farm."""

MAILS_PER_HOUR = 5
"""Mails to one address: a stranger can ask for them."""

TOO_MANY = "Too many attempts. Wait a minute, then try again."
TOO_MANY_CODES = "Too many codes. Wait ten minutes, then try again."
TOO_MANY_SIGN_UPS = "Too many new accounts from this address. Try again in an hour."
TOO_MANY_MAILS = "Too many mails to this address. Try again in an hour."

_budgets = Budgets(settings.REDIS_URL)


def may_try(request: HttpRequest | None, name: str) -> bool:
    """Spend one try of the caller's address and of the name that is tried; False when there is none left."""
    spent = (("login_address", _address(request)), ("login_name", name))
    return not any(_budgets.take_sync(kind, subject, count=PER_MINUTE, per_s=60) for kind, subject in spent)


def may_try_code(user_id: int) -> bool:
    return not _budgets.take_sync("second_factor", str(user_id), count=CODES_PER_TEN_MINUTES, per_s=600)


def may_sign_up(request: HttpRequest) -> bool:
    return not _budgets.take_sync("sign_up", _address(request), count=SIGN_UPS_PER_HOUR, per_s=3600)


def may_mail(address: str) -> bool:
    return not _budgets.take_sync("mail", address.lower(), count=MAILS_PER_HOUR, per_s=3600)


def _address(request: HttpRequest | None) -> str:
    return budget_subject(request_address(request)) if request is not None else ""
