"""Bugs of replication: who counts as having a frame, and who may go on alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.journal.replica import ReplicaJournal
from engine.replication.fence import Reign
from engine.replication.primary import Mode, PrimarySide
from engine.replication.standby import StandbySide
from tests.simulator.bugs.planting import Bug, replacing


def _usurping(original: Callable[..., Any]) -> Callable[..., Any]:
    """A standby that has not heard of its primary for a while reigns, whatever the fence says."""

    def take_over(self: StandbySide, now_ns: int) -> Reign | None:
        self._sync()
        found = self._fence.read()
        if found is None:
            return None
        self._is_over = True
        return Reign(found.term + 1, self.holder, "")

    return take_over


def _impatient(original: Callable[..., Any]) -> Callable[..., Any]:
    def is_released(self: PrimarySide, index: int) -> bool:
        self._refuse_fenced()
        return True

    return is_released


def _never_synced(original: Callable[..., Any]) -> Callable[..., Any]:
    def sync(self: ReplicaJournal) -> None:
        self._synced = self._last

    return sync


def _not_struck_out(original: Callable[..., Any]) -> Callable[..., Any]:
    """A primary that gives its standby up goes on, and the fence still names it."""

    def give_up(self: PrimarySide) -> None:
        if self._standby is not None and self.mode is not Mode.FENCED:
            self._standby = None
            self._outbox.clear()
            self._is_hang_up_due = True
            self.mode = Mode.ALONE

    return give_up


def _counted_too_early(original: Callable[..., Any]) -> Callable[..., Any]:
    """A standby is named in the fence as soon as it is connected, with frames still to come."""

    def pump(self: PrimarySide, now_ns: int) -> None:
        original(self, now_ns)
        if self.mode is Mode.JOINING and self._standby is not None:
            self._count_on(self._standby, now_ns)

    return pump


BUGS: dict[str, Bug] = {
    "standby-reigns-without-the-fence": replacing(StandbySide, "take_over", _usurping),
    "primary-does-not-wait-for-the-standby": replacing(PrimarySide, "is_released", _impatient),
    "standby-acknowledges-before-its-sync": replacing(ReplicaJournal, "sync", _never_synced),
    "standby-given-up-but-not-struck-out": replacing(PrimarySide, "_give_up", _not_struck_out),
    "standby-counted-on-too-early": replacing(PrimarySide, "_pump", _counted_too_early),
}
