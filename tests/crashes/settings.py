"""The product's settings, and a hook in the journal: `doom.py` lets a process die at a named point.

Settings, because nothing else is read by all processes: the journal's own loads no applications.
"""

import os

from config.settings import *  # noqa: F403
from tests.crashes.doom import ORDER_FILE, at_point
from trading import journal

if ORDER_FILE in os.environ:  # not where this module is only looked at
    journal.at_point = at_point
