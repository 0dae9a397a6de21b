"""Personal data of clients: encrypted per client, erasable per client, in one place.

Owns: `Person`, the two files under `home.vault` and the key-encryption key under `home.keys`.
Does not own: who may read. Nothing that comes out of here may enter the journal, the lake or a log.

Each client has a data key of its own, which encrypts that client's fields and is itself wrapped by the
key-encryption key. Erasing a client destroys the wrapped data key: what copies of the ciphertext exist are
noise from then on. Backups of `keys.jsonl` keep a client readable for as long as they live, so their lifetime
must be short.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.config import Home
from engine.errors import BadInput, PlatformError

NONCE_BYTES = 12
KEY_BITS = 256


class UnknownPerson(BadInput):
    """No readable person of that client: never stored, or erased."""


class VaultDamaged(PlatformError):
    """Bytes of the vault do not verify: changed, moved to another client, or of another key."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who a client is, as far as a payment message needs to know."""

    name: str
    street: str
    building: str
    postcode: str
    town: str
    country: str  # ISO 3166 alpha-2
    iban: str  # the beneficiary account on file
    bank_bic: str = ""  # the beneficiary's bank; a payment needs it


class Vault:
    """The vault of one home folder; several processes may hold it open."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._persons = folder / "persons.jsonl"
        self._keys = folder / "keys.jsonl"
        self._lock = folder / "lock"
        self._wrapping = AESGCM(key)

    @classmethod
    def open(cls, home: Home) -> Vault:
        """Open the vault, making folder and key-encryption key on first use."""
        home.vault.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(home.vault, secret_bytes(home.keys / "vault.key"))

    def put(self, client_id: int, person: Person) -> None:
        """Store a person; whoever stood there before is erased first."""
        data_key = AESGCM.generate_key(bit_length=KEY_BITS)
        cipher = AESGCM(data_key)
        sealed = {k: _seal(cipher, v, _bound(client_id, k)) for k, v in asdict(person).items()}
        wrapped = _seal(self._wrapping, data_key.hex(), _bound(client_id, "data_key"))
        with self._locked():
            self._drop_key(client_id)
            _append(self._persons, {"client_id": client_id, **sealed})
            _append(self._keys, {"client_id": client_id, "data_key": wrapped})

    def get(self, client_id: int) -> Person:
        """The person of a client. Raises UnknownPerson, or VaultDamaged when the bytes do not verify."""
        with self._locked():
            keys = _lines_of(self._keys, client_id)
            persons = _lines_of(self._persons, client_id)
        if not keys or not persons:
            raise UnknownPerson(f"client {client_id} is not in the vault")
        data_key = _unseal(self._wrapping, keys[-1]["data_key"], _bound(client_id, "data_key"))
        cipher = AESGCM(bytes.fromhex(data_key))
        sealed = persons[-1]
        try:
            return Person(
                **{f.name: _unseal(cipher, sealed[f.name], _bound(client_id, f.name)) for f in fields(Person)}
            )
        except KeyError as missing:
            raise VaultDamaged(f"client {client_id}: field {missing} is missing") from missing

    def erase(self, client_id: int) -> None:
        """Destroy a client's data key; the person cannot be read again. Erasing twice changes nothing."""
        with self._locked():
            self._drop_key(client_id)

    def _drop_key(self, client_id: int) -> None:
        if not _lines_of(self._keys, client_id):
            return
        kept = [
            line
            for line in self._keys.read_text().splitlines(keepends=True)
            if not line.startswith(_head(client_id))
        ]
        rewritten = self._keys.with_suffix(".new")
        with _private(rewritten) as stream:
            stream.write("".join(kept).encode())
        with self._keys.open("r+b") as old:  # the old bytes must not outlive the rename
            rewritten.replace(self._keys)
            old.write(bytes(os.fstat(old.fileno()).st_size))
            old.flush()
            os.fsync(old.fileno())
        _sync_folder(self._keys.parent)

    @contextmanager
    def _locked(self) -> Generator[None]:
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def secret_bytes(path: Path) -> bytes:
    """The 32 secret bytes of a key file, made on first use, readable by the owner only.

    Raises PlatformError when others may read the file or when it does not hold 32 bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with _private(path, exclusive=True) as stream:
            stream.write(AESGCM.generate_key(bit_length=KEY_BITS))
        _sync_folder(path.parent)
    except FileExistsError:
        pass
    if path.stat().st_mode & 0o077:
        raise PlatformError(f"{path.name}: others may read this key; set its mode to 0600")
    secret = path.read_bytes()
    if len(secret) * 8 != KEY_BITS:
        raise PlatformError(f"{path.name}: a key has {KEY_BITS // 8} bytes, this has {len(secret)}")
    return secret


def _bound(client_id: int, field: str) -> bytes:
    """What a ciphertext is bound to, so that it cannot be moved to another client or field."""
    return f"{client_id}:{field}".encode()


def _seal(cipher: AESGCM, text: str, bound: bytes) -> str:
    nonce = os.urandom(NONCE_BYTES)
    return (nonce + cipher.encrypt(nonce, text.encode(), bound)).hex()


def _unseal(cipher: AESGCM, sealed: str, bound: bytes) -> str:
    try:
        raw = bytes.fromhex(sealed)
        return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound).decode()
    except (InvalidTag, ValueError) as failed:
        raise VaultDamaged(f"the vault's {bound.decode()} does not verify") from failed


def _head(client_id: int) -> str:
    """How each line of a client begins; lines of others need not be parsed."""
    return f'{{"client_id": {client_id}, '


def _lines_of(path: Path, client_id: int) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    head = _head(client_id)
    try:
        return [json.loads(line) for line in path.read_text().splitlines() if line.startswith(head)]
    except json.JSONDecodeError as failed:
        raise VaultDamaged(f"{path.name}: the line of client {client_id} cannot be read") from failed


def _append(path: Path, line: dict[str, Any]) -> None:
    with _private(path, append=True) as stream:
        stream.write((json.dumps(line) + "\n").encode())


@contextmanager
def _private(path: Path, *, exclusive: bool = False, append: bool = False) -> Generator[Any]:
    """Open for writing with mode 0600; what was written is durable at the end."""
    flags = os.O_WRONLY | os.O_CREAT
    flags |= os.O_EXCL if exclusive else os.O_APPEND if append else os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
