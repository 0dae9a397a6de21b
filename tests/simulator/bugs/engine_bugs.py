"""Bugs of what decides: time, and what was asked before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.pipeline import Pipeline
from tests.simulator.bugs.planting import Bug, replacing


def _unclamped(original: Callable[..., Any]) -> Callable[..., Any]:
    def decide(self: Pipeline, batch: Any) -> Any:
        if self._state is not None:
            self._state.clock_ns = 0
        return original(self, batch)

    return decide


def _forgetful(original: Callable[..., Any]) -> Callable[..., Any]:
    def decide(self: Pipeline, batch: Any) -> Any:
        if self._state is not None:
            self._state.day.slots[:] = 0
        return original(self, batch)

    return decide


def _forgetful_of_payments(original: Callable[..., Any]) -> Callable[..., Any]:
    def decide(self: Pipeline, batch: Any) -> Any:
        if self._state is not None:
            self._state.payments.used.clear()
        return original(self, batch)

    return decide


BUGS: dict[str, Bug] = {
    "time-not-clamped": replacing(Pipeline, "decide", _unclamped),
    "client-order-id-forgotten": replacing(Pipeline, "decide", _forgetful),
    "payment-id-forgotten": replacing(Pipeline, "decide", _forgetful_of_payments),
}
