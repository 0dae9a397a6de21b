"""What can end a step of the simulation.

ProcessKilled   one process stops here; what it wrote stays in the machine's memory
PowerCut        the machine stops here; what was not synced survives by chance
ProcessGone     the process ended while this step of it waited
Violation       a promise is broken: the run has found a bug
"""

from __future__ import annotations


class ProcessKilled(BaseException):
    """The process stops here, as under SIGKILL."""


class PowerCut(BaseException):
    """The machine stops here."""


class ProcessGone(BaseException):
    """The process has ended meanwhile; the step is no more."""


class Violation(Exception):
    """A promise of the system does not hold."""
