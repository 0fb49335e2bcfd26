"""The product's settings, and one application more: `apps.py` lets a process die at a named point."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as PRODUCT_APPS

INSTALLED_APPS = [*PRODUCT_APPS, "tests.crashes.apps.DoomConfig"]
