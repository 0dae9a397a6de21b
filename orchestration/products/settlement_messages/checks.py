"""What must be true of settlement instructions."""

from __future__ import annotations

from engine.clock import Clock
from engine.config import Home
from orchestration.checks import row_check
from orchestration.products.messages import wrong_messages
from orchestration.products.settlement_messages.assets import KEY, NAME, due_instructions


@row_check(
    asset=KEY.path,
    name="every_instruction_has_one_message",
    description="Each obligation of the day has exactly one valid sese.023 that says what the book says.",
)
def every_instruction_has_one_message(home: Home, clock: Clock) -> list[str]:
    """Instructions without their message, and messages without their instruction."""
    return wrong_messages(home, NAME, due_instructions(home))


CHECKS = (every_instruction_has_one_message,)
