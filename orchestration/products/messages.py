"""Messages that products write: one file a subject, once, and provable afterwards.

Owns: writing, registering and checking files of the outbox. Does not own: which messages there are or what
they say; a product gives subject and field values, the message's table in `schemas/iso20022` does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from engine.clock import Clock
from engine.config import Home
from engine.errors import MessageRefused
from orchestration.lake.tables import append_new, lake_rows
from orchestration.products.papers import sha256_of, write_whole
from schemas.external import WrittenMessage
from schemas.iso20022.message import Message
from schemas.iso20022.refusal import BadMessage
from schemas.iso20022.writing import render


class Outgoing(NamedTuple):
    """A message that is to be on file: its table, what it is about, and its field values."""

    message: Message
    subject_reference: str
    fields: Mapping[str, Any]

    @property
    def message_reference(self) -> str:
        """Its identification: kind and subject, so that writing twice makes the same message."""
        return message_reference(self.message, self.subject_reference)


def message_reference(message: Message, subject_reference: str) -> str:
    """The identification of the one message of a kind about a subject."""
    business = "".join(message.identifier.split(".")[:2]).upper()
    return f"{business}-{subject_reference}"


def write_new(home: Home, clock: Clock, product: str, outgoing: Iterable[Outgoing]) -> list[WrittenMessage]:
    """Write the messages that are not on record and register them; returns those.

    Every message is held to its guideline before a byte is written. Raises MessageRefused without the refused
    text, which may name a person.
    """
    known = {w.message_reference for w in lake_rows(home, WrittenMessage)}
    made: list[WrittenMessage] = []
    for out in outgoing:
        if out.message_reference in known:
            continue
        raw = _rendered(out)
        path = home.outbox / product / f"{out.message_reference}.xml"
        write_whole(path, raw)
        made.append(
            WrittenMessage(
                message_reference=out.message_reference,
                message_type=out.message.identifier,
                subject_reference=out.subject_reference,
                path=str(path.relative_to(home.root)),
                file_sha256=sha256_of(raw),
                written_at_ns=clock.now_ns(),
            )
        )
    append_new(home, made)
    return made


def wrong_messages(home: Home, product: str, due: Sequence[Outgoing]) -> list[str]:
    """What is wrong with the messages that are due: missing, changed, saying something else, or strays."""
    written = {w.message_reference: w for w in lake_rows(home, WrittenMessage)}
    problems = [p for out in due for p in _wrong(home, out, written.get(out.message_reference))]
    folder = home.outbox / product
    on_record = {home.root / w.path for w in written.values()}
    strays = sorted(p.name for p in folder.glob("*.xml") if p not in on_record) if folder.exists() else []
    return problems + [f"{name}: in the outbox and not on record" for name in strays]


def _wrong(home: Home, out: Outgoing, written: WrittenMessage | None) -> list[str]:
    if written is None:
        return [f"{out.subject_reference}: no {out.message.identifier} was written"]
    path = home.root / written.path
    if not path.exists() or sha256_of(raw := path.read_bytes()) != written.file_sha256:
        return [f"{written.path}: not the bytes that were written"]
    if raw != _rendered(out):
        return [f"{written.path}: does not say what the book says"]
    return []


def _rendered(out: Outgoing) -> bytes:
    try:
        return render(out.message, out.fields)
    except BadMessage:
        raise MessageRefused(
            f"{out.subject_reference}: a field cannot be written in {out.message.identifier}"
        ) from None


def outbox_folder(home: Home, product: str) -> Path:
    """Where a product's messages lie."""
    return home.outbox / product
