"""The clock that kernels time single commands with, to be read from outside and held against another one."""

from engine.compiled_kernel import kernel
from engine.market.words_kernel import (
    read_clock,
)


@kernel
def ticks_now():
    """The processor's time stamp counter."""
    return read_clock()
