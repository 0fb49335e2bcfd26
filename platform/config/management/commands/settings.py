"""`manage.py settings`: every setting that the environment gives, its meaning and what it is now."""

import re
from typing import Any

from django.core.management.base import BaseCommand

from config.env import VARIABLES, Variable, text

HIDDEN = "(hidden)"


class Command(BaseCommand):
    """Print the table of `env.VARIABLES`."""

    help = "Lists every environment variable that sets something: its meaning, default and present value."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one paragraph a variable: pipes and narrow terminals keep it readable, which a wide table is not."""
        for variable in VARIABLES:
            self.stdout.write(self.style.MIGRATE_HEADING(variable.name) + f" = {shown(variable)}")
            default = "" if text(variable.name) == variable.default else f" (default: {variable.default or 'empty'})"
            self.stdout.write(f"    {variable.meaning}{default}")


def shown(variable: Variable) -> str:
    """Return a variable's present value without what must not be read over a shoulder."""
    value = text(variable.name)
    if value and any(word in variable.name for word in ("SECRET", "TOKEN")):
        return HIDDEN
    return re.sub(r"(://[^:/@]*):[^@]*@", rf"\1:{HIDDEN}@", value) or "(empty)"
