"""What must be true of payment orders."""

from __future__ import annotations

from engine.clock import Clock
from engine.config import Home
from orchestration.checks import row_check
from orchestration.products.messages import wrong_messages
from orchestration.products.payment_messages.assets import KEY, NAME, due_payments


@row_check(
    asset=KEY.path,
    name="every_payment_has_one_message",
    description="Each payment that is due has exactly one valid message that says what the book says.",
)
def every_payment_has_one_message(home: Home, clock: Clock) -> list[str]:
    """Payments without their message, and messages that say something else."""
    due = due_payments(home)
    return due.problems + wrong_messages(home, NAME, due.outgoing)


CHECKS = (every_payment_has_one_message,)
