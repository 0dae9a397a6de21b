"""A block: words in memory that say where arrays lie, and that a kernel reads as an object with fields.

Handing arrays from kernel to kernel costs a dozen words an array at every call. A block is one word, its
address, and `block.accounts[7].client_id` is a load from the array that the block tells of.

    STATE = BlockType("STATE", accounts=rows_of(AccountRow), amounts=words(2), is_open=WORD)
    held = STATE.fill(accounts=…, amounts=…, is_open=1)      # keep `held`; kernels get held.address

Owns: the layout of blocks and how kernels read them. Does not own the arrays; `Block` keeps them alive.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, imputils, typing
from numba.core.datamodel import models
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, register_model
from numba.np.arrayobj import make_array, populate_array

from engine.memory_kernel import pointer_to
from schemas.derive.layout import dtype_of


class ArrayField(NamedTuple):
    """An array: its address, then its length in each dimension."""

    element: Any  # numba's type of an element
    dtype: np.dtype[Any]
    dimensions: int

    @property
    def word_count(self) -> int:
        """Words of the block that it takes."""
        return 1 + self.dimensions


class WordField(NamedTuple):
    """A number, or the address of another block."""

    block: BlockType | None = None
    word_count: int = 1


WORD = WordField()
_ADDRESS = "_address"  # behind a field's name: where its array lies, as a word


def rows_of(cls: type, dimensions: int = 1) -> ArrayField:
    """Rows of a declared class."""
    dtype = dtype_of(cls)
    return ArrayField(numba.from_dtype(dtype), dtype, dimensions)


def words(dimensions: int = 1) -> ArrayField:
    """An array of int64."""
    return ArrayField(types.int64, np.dtype(np.int64), dimensions)


def block_of(kind: BlockType) -> WordField:
    """Another block."""
    return WordField(kind)


class Block(NamedTuple):
    """A filled block; it keeps its words and what they point at alive."""

    kind: BlockType
    address: int
    words: Any
    held: Any

    def set(self, name: str, word: int) -> None:
        """Change a number."""
        self.words[self.kind.places[name]] = word

    def point(self, name: str, address: int, length: int) -> None:
        """Let an array of one dimension lie elsewhere; whoever does so holds it."""
        at = self.kind.places[name]
        self.words[at] = address
        self.words[at + 1] = length


class BlockType(types.Type):
    """The fields of a block, in order."""

    def __init__(self, name: str, **fields: ArrayField | WordField) -> None:
        super().__init__(name=f"Block({name})")
        self.fields = fields
        self.places: dict[str, int] = {}
        self.word_count = 0
        for field_name, field in fields.items():
            self.places[field_name] = self.word_count
            self.word_count += field.word_count

    def fill(self, **values: Any) -> Block:
        """A block. Raises KeyError without a value for a field, ValueError on an array of another layout."""
        filled = np.zeros(self.word_count, dtype=np.int64)
        held = list(values.values())
        for name, field in self.fields.items():
            value, at = values[name], self.places[name]
            if isinstance(field, WordField):
                filled[at] = value.address if isinstance(value, Block) else value
            elif value.dtype != field.dtype or value.ndim != field.dimensions or not value.flags.c_contiguous:
                raise ValueError(f"{self.name}.{name}: {value.dtype} in {value.ndim} dimensions")
            else:
                filled[at] = _address(value)
                filled[at + 1 : at + 1 + value.ndim] = value.shape
        return Block(self, filled.ctypes.data, filled, held)


def _address(array: Any) -> int:
    return array.ctypes.data


register_model(BlockType)(
    type("BlockModel", (models.PrimitiveModel,), {
        "__init__": lambda self, dmm, kind: models.PrimitiveModel.__init__(self, dmm, kind, ir.IntType(64))
    })
)  # fmt: skip


@infer_getattr
class _BlockAttributes(typing.templates.AttributeTemplate):
    key = BlockType

    def generic_resolve(self, kind: BlockType, name: str) -> Any:
        if name.removesuffix(_ADDRESS) in kind.fields and name.endswith(_ADDRESS):
            return types.int64
        field = kind.fields.get(name)
        if field is None:
            return None
        if isinstance(field, WordField):
            return types.int64 if field.block is None else field.block
        return types.Array(field.element, field.dimensions, "C", aligned=False)


@lower_getattr_generic(BlockType)
def _read_field(context: Any, builder: Any, kind: BlockType, address: Any, name: str) -> Any:
    word = ir.IntType(64)
    if name not in kind.fields:
        place = ir.Constant(word, kind.places[name.removesuffix(_ADDRESS)])
        return builder.load(pointer_to(builder, address, place))
    field, at = kind.fields[name], kind.places[name]

    def load(position: int) -> Any:
        return builder.load(pointer_to(builder, address, ir.Constant(word, position)))

    if isinstance(field, WordField):
        return load(at)
    array_type = types.Array(field.element, field.dimensions, "C", aligned=False)
    array = make_array(array_type)(context, builder)
    shape = [load(at + 1 + d) for d in range(field.dimensions)]
    strides = [ir.Constant(word, field.dtype.itemsize)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    populate_array(
        array,
        data=builder.inttoptr(load(at), array.data.type),
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=ir.Constant(word, field.dtype.itemsize),
        meminfo=None,
    )
    return imputils.impl_ret_borrowed(context, builder, array_type, array._getvalue())


def at_address(kind: BlockType) -> Any:
    """A function for kernels that takes an address as a block of this kind."""

    @intrinsic
    def view(_context, _address):
        def build(_target, _builder, _signature, args):
            return args[0]

        return kind(types.int64), build

    return view
