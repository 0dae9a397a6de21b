"""The firm's signing key: Ed25519, made on first use under `home.keys`.

Owns: the key file, signing, and the fingerprint by which people recognise the key.
Does not own: what is signed; a product signs its own bytes.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.config import Home
from engine.gateway.vault import secret_bytes


class Signed(NamedTuple):
    """A signature with what a stranger needs to check it."""

    signature: bytes
    public_pem: bytes
    fingerprint: str


def sign(home: Home, content: bytes) -> Signed:
    """Sign bytes with the firm's key; the same bytes give the same signature."""
    key = Ed25519PrivateKey.from_private_bytes(secret_bytes(home.keys / "signing.key"))
    public = key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Signed(key.sign(content), pem, fingerprint(pem))


def is_signed(content: bytes, signature: bytes, public_pem: bytes) -> bool:
    """Whether the signature is of these bytes by this key. Raises ValueError on a key that is none."""
    key = serialization.load_pem_public_key(public_pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("the public key is not Ed25519")
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def fingerprint(public_pem: bytes) -> str:
    """SHA-256 of the public key's 32 bytes, in hexadecimal: what to compare by telephone."""
    key = serialization.load_pem_public_key(public_pem)
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()
