"""Memory by address, without bounds checks: words, and rows of declared layouts.

Owns: loads, stores, and views of rows at an address. Does not own: any memory; the arrays belong to Python
objects that keep them alive while a kernel runs. Addresses and words are int64.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.compiled_kernel import inner


def pointer_to(builder: Any, address: Any, at: Any) -> Any:
    """The pointer to a word, for intrinsics."""
    pointer = builder.inttoptr(address, ir.IntType(64).as_pointer())
    return builder.gep(pointer, [at], inbounds=True)


@intrinsic
def load(_context, _address, _at):
    """The word at an address plus a number of words."""

    def build(_target, builder, _signature, args):
        return builder.load(pointer_to(builder, args[0], args[1]))

    return types.int64(types.int64, types.int64), build


@intrinsic
def store(_context, _address, _at, _word):
    """Write the word at an address plus a number of words."""

    def build(target, builder, _signature, args):
        builder.store(args[2], pointer_to(builder, args[0], args[1]))
        return target.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build


@intrinsic
def prefetch(_context, _address, _at):
    """Ask for a cache line that will be written soon. Any address will do: nothing is read."""

    def build(target, builder, _signature, args):
        number = ir.IntType(32)
        byte = ir.IntType(8).as_pointer()
        pointer = builder.bitcast(pointer_to(builder, args[0], args[1]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(function, [pointer, *(ir.Constant(number, n) for n in (1, 3, 1))])
        return target.get_dummy_value()

    return types.void(types.int64, types.int64), build


@inner
def add(address, at, amount):
    """Add to the word at an address."""
    store(address, at, load(address, at) + amount)
