"""Issue an API key from the shell."""

import json
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from accounts.models import DEFAULT_SCOPES, ENVIRONMENTS, SCOPES, ApiKey, User
from accounts.services import api_key_create


class Command(BaseCommand):
    help = "Issue an API key and print its secret, which is not to be had again."
    # They say nothing about keys, and take longer than issuing one.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the name of its user, who is made (without a password) if missing")
        parser.add_argument("--scope", action="append", choices=SCOPES, help="repeatable; default: market and read")
        parser.add_argument("--env", action="append", choices=ENVIRONMENTS, help="repeatable; default: the user's own")
        parser.add_argument("--label", default="", help="what it is for")
        parser.add_argument("--expires", default="", help="ISO 8601 with a time zone, such as 2027-01-31T00:00:00Z")
        parser.add_argument("--cidr", action="append", default=[], help="a network it may be used from; repeatable")
        parser.add_argument("--json", action="store_true", help='print {"id","secret"} as the last line')

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key, secret = self._issue(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(key.public_id), "secret": secret}))
        else:
            self.stdout.write(f"key id  {key.public_id}\nsecret  {secret}\n(shown this once)")

    @transaction.atomic
    def _issue(self, options: dict[str, Any]) -> tuple[ApiKey, str]:
        return api_key_create(
            user=_user(options["user"]),
            label=options["label"],
            scopes=options["scope"] or DEFAULT_SCOPES,
            environments=options["env"],
            expires_at=_moment(options["expires"]),
            networks=" ".join(options["cidr"]),
        )


def _user(name: str) -> User:
    """Return the user of this name, made without a password if missing; raises `ValidationError`."""
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User(username=name)
        user.set_unusable_password()
        user.full_clean()
        user.save()
    return user


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text) if text else None
    except ValueError:  # of the right form, such as the 31st of February
        moment = None
    if text and (moment is None or is_naive(moment)):
        raise CommandError("--expires is a time with its zone, such as 2027-01-31T00:00:00Z")
    return moment
