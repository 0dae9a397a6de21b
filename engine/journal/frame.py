"""A frame as bytes: one batch of commands with the events they caused, checked and chained.

Owns: the layout, encoding, decoding. Does not own: where frames lie (segment) or when they are durable
(writer). The layout is told to the byte in docs/journal.md.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken, JournalDamaged, JournalError
from engine.journal.crc32c_kernel import sum_rows, sum_words
from engine.journal.decode_kernel import is_whole
from engine.journal.disk import Content
from engine.journal.encode_kernel import DESCENDS, HAS_GAP, encode_sections
from engine.journal.sections import Section, Sections, rows_in
from engine.journal.sections_kernel import HEAD, TABLE_COLUMNS, TYPE_MASK, WIDTH, frame_size
from schemas.derive.layout import dtype_of
from schemas.registry import by_type_code

ZERO_HASH = bytes(32)
MAGIC = b"OBFR"
FRAME_VERSION = 1
HASH_BYTES = 32
SYNC_FRAME_COUNT = 256  # at most so many frames share a sync
_HEADER = struct.Struct("<4sBBHQQQQQ32sQ")
_SYNC_PLACE_AT = 5
_SECTION = struct.Struct("<IIQQ")
_SUM = struct.Struct("<Q")
HEADER_BYTES = _HEADER.size
_OUTER_WORDS = (HEADER_BYTES + HASH_BYTES) // 8
_SUMMED_BYTES = HEADER_BYTES - 8  # all of the header but its own CRC

Words = npt.NDArray[np.uint64]
Raw = memoryview  # a frame's bytes, written in place


class Frame(NamedTuple):
    """One durable batch; its sections ascend by type code, its sequences have no gap."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  nobody searches a frame as a tuple
    term: int
    first_sequence: int
    last_sequence: int
    sections: Sequence[Section]
    state_hash: bytes
    chain_hash: bytes


class FrameHeader(NamedTuple):
    """What the fixed part of a frame says."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  nobody searches a frame as a tuple
    term: int
    first_sequence: int
    last_sequence: int
    section_count: int
    payload_bytes: int
    state_hash: bytes
    sync_place: int  # how many frames before it share its sync

    @property
    def frame_bytes(self) -> int:
        """Length of the whole frame."""
        return HEADER_BYTES + self.payload_bytes + HASH_BYTES

    @property
    def durable_before(self) -> int:
        """The last frame that was durable when this one was written."""
        return self.index - self.sync_place - 1


class _Block(NamedTuple):
    """One section as it lies in the payload."""

    type_code: int
    version: int
    sums: npt.NDArray[np.uint32]
    words: Words  # (n, w)


def crc32c(content: bytes | bytearray | memoryview, seed: int = 0) -> int:
    """CRC32C of bytes whose length is a multiple of 8, continued from `seed`."""
    words = np.frombuffer(content, dtype=np.int64)
    return sum_words(words.ctypes.data, len(words), seed)


def chain(previous: bytes, content: Content) -> bytes:
    """The chain hash of a frame: SHA-256 over the previous chain hash, the header and the payload."""
    digest = hashlib.sha256(previous)
    digest.update(content)
    return digest.digest()


def frame_bytes_of(sections: Sequence[Section]) -> int:
    """How long the frame of these sections is."""
    _, words = frame_size(Sections.of(sections).table)
    return (_OUTER_WORDS + words) * 8


def encode_frame(
    index: int, term: int, sections: Sequence[Section], state_hash: bytes, seed: int
) -> tuple[Frame, Raw]:
    """A frame and its bytes, both still without the chain hash. `seed` is the segment's CRC seed.

    Sections without rows are left out. The frame's rows are read-only views into its bytes. Raises
    InvariantBroken when rows are not of their record's layout or the sequences have a gap.
    """
    given = Sections.of(sections)
    if not len(given):
        raise InvariantBroken("a frame has at least one record")
    count, words = frame_size(given.table)
    room = np.empty(_OUTER_WORDS + words, dtype=np.int64)
    raw: Raw = room.data.cast("B")
    table = np.empty_like(given.table)
    outcome, at, first, last = encode_sections(
        given.table, seed, np.zeros(count, dtype=np.uint8), room, HEADER_BYTES // 8, table
    )
    if outcome == DESCENDS:
        raise InvariantBroken(f"{given[at].record.table}: sequences do not ascend")
    if outcome == HAS_GAP:
        raise InvariantBroken(f"sequences {first} to {last} are not those of {count} records")
    fixed = (MAGIC, FRAME_VERSION, 0, len(table), index, term, first, last, words * 8, state_hash)
    _HEADER.pack_into(raw, 0, *fixed, 0)
    _SUM.pack_into(raw, _SUMMED_BYTES, sum_words(room.ctypes.data, _SUMMED_BYTES // 8, seed))
    room.flags.writeable = False
    placed = Sections(table, rows_in(room, table))
    return Frame(index, term, first, last, placed, state_hash, ZERO_HASH), raw


def seal(frame: Frame, raw: Raw, previous: bytes, sync_place: int, seed: int) -> Frame:
    """Chain an encoded frame to the one before it, in its bytes too.

    `sync_place` is how many frames before it share its sync: recovery must know what was durable before it.
    """
    if sync_place:
        raw[_SYNC_PLACE_AT] = sync_place
        _SUM.pack_into(raw, _SUMMED_BYTES, crc32c(raw[:_SUMMED_BYTES], seed))
    chain_hash = chain(previous, raw[:-HASH_BYTES])
    raw[-HASH_BYTES:] = chain_hash
    return frame._replace(chain_hash=chain_hash)


def decode_header(raw: bytes, seed: int) -> FrameHeader:
    """The header at the start of `raw`. Raises JournalDamaged when it does not verify."""
    if len(raw) < HEADER_BYTES:
        raise JournalDamaged("the frame header is cut off")
    magic, version, sync_place, section_count, *numbers, state_hash, crc = _HEADER.unpack_from(raw)
    if magic != MAGIC or crc != crc32c(raw[:_SUMMED_BYTES], seed):
        raise JournalDamaged("the frame header does not verify")
    if version != FRAME_VERSION:
        raise JournalError(f"frame format {version} is not {FRAME_VERSION}, the one known here")
    index, term, first, last, payload_bytes = numbers
    return FrameHeader(index, term, first, last, section_count, payload_bytes, state_hash, sync_place)


def decode_frame(raw: bytes, header: FrameHeader, previous: bytes, seed: int) -> Frame:
    """A frame from all of its bytes; its rows are read-only views into `raw`.

    Raises JournalDamaged when a byte is not as written, JournalError when a whole frame holds a record that
    is not declared here.
    """
    end = len(raw) - HASH_BYTES
    chain_hash = chain(previous, memoryview(raw)[:end])
    if chain_hash != raw[end:]:
        raise JournalDamaged(_what_is_damaged(raw, header, seed))
    sections = _sections_of_whole(raw, header, seed)
    if sections is None:  # then look again, slowly, for what is wrong
        sections = tuple(_section(block, seed) for block in _blocks(raw, header))
        if header[2:4] != _sequence_span(sections):
            raise JournalError("its sequences are not those of its header")
    return Frame(*header[:4], sections, header.state_hash, chain_hash)


def _sections_of_whole(raw: bytes, header: FrameHeader, seed: int) -> Sections | None:
    """The sections of a frame in which all is as it should be and every record of today's version."""
    words = np.frombuffer(raw, dtype=np.int64)
    count = header.last_sequence - header.first_sequence + 1
    if not 0 < count * 8 <= header.payload_bytes:
        return None
    table = np.zeros((header.section_count, TABLE_COLUMNS), dtype=np.int64)
    start, end = words.ctypes.data, header.payload_bytes // 8
    seen = np.zeros(count, dtype=np.uint8)
    if not is_whole(start + HEADER_BYTES, end, seed, header.first_sequence, seen, table):
        return None
    for head, width in table[:, (HEAD, WIDTH)].tolist():
        try:
            record = by_type_code(head & TYPE_MASK)
        except KeyError:
            return None
        if head >> 32 != record.version or width * 8 != dtype_of(record.cls).itemsize:
            return None
    return Sections(table, rows_in(words, table))


def _sequence_span(sections: Sequence[Section]) -> tuple[int, int]:
    """First and last sequence of all rows. Raises InvariantBroken when they are not one run without a gap."""
    codes = [s.record.type_code for s in sections]
    if not codes or len(set(codes)) != len(codes):
        raise InvariantBroken("a frame has at least one record, and one section a record type")
    for record, rows in sections:
        if np.any(rows["sequence"][1:] <= rows["sequence"][:-1]):
            raise InvariantBroken(f"{record.table}: sequences do not ascend")
    count = sum(len(s.rows) for s in sections)
    first = min(int(s.rows["sequence"][0]) for s in sections)
    last = max(int(s.rows["sequence"][-1]) for s in sections)
    seen = np.zeros(count, dtype=np.bool_)
    if last - first + 1 == count:
        for section in sections:
            seen[section.rows["sequence"] - first] = True
    if not seen.all():
        raise InvariantBroken(f"sequences {first} to {last} are not those of {count} records")
    return first, last


def _block_bytes(count: int, row_bytes: int) -> int:
    return _SECTION.size + (count + count % 2) * 4 + count * row_bytes


def _block_at(raw: bytes | bytearray, offset: int) -> _Block:
    type_code, version, count, row_bytes = _SECTION.unpack_from(raw, offset)
    sums_at = offset + _SECTION.size
    rows_at = sums_at + (count + count % 2) * 4
    fits = rows_at + count * row_bytes <= len(raw) - HASH_BYTES
    if not count or not row_bytes or row_bytes % 8 or not fits:
        raise JournalError("a section does not fit into its frame")
    sums = np.frombuffer(raw, dtype=np.uint32, count=count, offset=sums_at)
    words = np.frombuffer(raw, dtype=np.uint64, count=count * row_bytes // 8, offset=rows_at)
    return _Block(type_code, version, sums, words.reshape(count, -1))


def _blocks(raw: bytes, header: FrameHeader) -> Iterator[_Block]:
    offset, end = HEADER_BYTES, len(raw) - HASH_BYTES
    for _ in range(header.section_count):
        if offset + _SECTION.size > end:
            raise JournalError("a section does not fit into its frame")
        block = _block_at(raw, offset)
        yield block
        offset += _block_bytes(len(block.words), block.words.shape[1] * 8)
    if offset != end:
        raise JournalError("its sections do not fill its payload")


def _row_seed(seed: int, block: _Block) -> int:
    """The CRC seed of a section's rows; a row's own first word is its sequence."""
    return crc32c(struct.pack("<II", block.type_code, block.version), seed)


def _bad_rows(block: _Block, seed: int) -> npt.NDArray[np.intp]:
    count, width = block.words.shape
    sums = np.empty(count, dtype=np.uint32)
    sum_rows(block.words.ctypes.data, count, width, _row_seed(seed, block), sums)
    return np.flatnonzero(sums != block.sums)


def _section(block: _Block, seed: int) -> Section:
    try:
        record = by_type_code(block.type_code)
    except KeyError:
        raise JournalError(f"record type {block.type_code} is not declared here") from None
    dtype = dtype_of(record.cls)
    width, known = block.words.shape[1], dtype.itemsize // 8
    as_declared = block.version == record.version and width == known
    if not as_declared and not (block.version < record.version and width <= known):
        raise JournalError(
            f"{record.table} version {block.version} with {width} columns cannot be read as version "
            f"{record.version} with {known}"
        )
    if len(bad := _bad_rows(block, seed)):
        raise JournalError(f"{record.table}: row {bad[0]} was journaled with a wrong CRC32C")
    words = block.words
    if width < known:  # columns are only ever appended; an older row lacks the last ones
        words = np.zeros((len(words), known), dtype=np.uint64)
        words[:, :width] = block.words
    return Section(record, _frozen(words).view(dtype)[:, 0])


def _frozen(words: Words) -> Words:
    view = words.view()
    view.flags.writeable = False
    return view


def _what_is_damaged(raw: bytes, header: FrameHeader, seed: int) -> str:
    """Name the first damaged record if the checksums can tell it."""
    try:
        for block in _blocks(raw, header):
            if len(bad := _bad_rows(block, seed)):
                return f"row {bad[0]} of record type {block.type_code} fails its CRC32C"
    except JournalError as error:
        return str(error)
    return "every record verifies, but the frame does not continue the chain"
