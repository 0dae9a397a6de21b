"""What can go wrong, as a tree.

PlatformError                 the outside world failed; caught at the edge, told in one line
├── BadInput                  a file or an argument that cannot be used
├── JournalError
│   ├── JournalDamaged        bytes before the durable end do not verify; never cut, always repaired
│   ├── JournalFailed         a write or a sync failed; the process must stop, never retry
│   └── Fenced                another reigns, or nobody can tell who does; the process must stop
├── LakeError                 a Delta table cannot be brought to the journal's state
├── MessageRefused            an ISO 20022 message that cannot be trusted
└── EngineUnreachable         no engine answers at the socket

InvariantBroken               the engine's own state is wrong; the process stops, recovery is replay
"""

from __future__ import annotations


class PlatformError(Exception):
    """The outside world failed."""


class BadInput(PlatformError):
    """A file or an argument that cannot be used."""


class JournalError(PlatformError):
    """The journal cannot be read or written."""


class JournalDamaged(JournalError):
    """Bytes before the durable end do not verify."""


class JournalFailed(JournalError):
    """A write or a sync failed; the process must stop."""


class Fenced(JournalError):
    """Another holds the reign, or the fence cannot tell who does; nothing may be acknowledged any more."""


class LakeError(PlatformError):
    """A Delta table cannot be brought to the journal's state."""


class MessageRefused(PlatformError):
    """An ISO 20022 message that cannot be trusted."""


class EngineUnreachable(PlatformError):
    """No engine answers at the socket."""


class InvariantBroken(Exception):
    """The engine's own state is wrong; the process stops."""
