"""The clock that kernels time single commands with, to be read from outside and held against another one."""

from engine.market.words_kernel import kernel, read_clock


@kernel
def ticks_now():
    """The processor's time stamp counter."""
    return read_clock()
