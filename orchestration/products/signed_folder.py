"""A folder of files that is signed as a whole: a manifest of digests, its signature, and the public key.

Owns: sealing, putting the folder in place, and finding any changed byte offline. Does not own what is in it,
or what its files say against each other; a product looks at that once the bytes are sound.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm

from engine.canonical import canonical_json, sha256_of
from engine.config import Home
from orchestration.products.papers import write_whole
from orchestration.signing import fingerprint, is_signed, sign

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
PUBLIC_KEY = "public_key.pem"

Manifest = dict[str, Any]


class Sealed(NamedTuple):
    """All files of a folder by name, manifest and signature with them, and the manifest's digest."""

    files: dict[str, bytes]
    manifest_sha256: str


def seal(home: Home, files: Mapping[str, bytes], heading: Manifest) -> Sealed:
    """Add public key, manifest and signature; the same files and heading give the same bytes.

    `heading` says what the folder is; it holds `format_version`, and neither `files` nor `key_fingerprint`.
    """
    public = sign(home, b"")
    kept = {**files, PUBLIC_KEY: public.public_pem}
    manifest = canonical_json(
        {
            **heading,
            "key_fingerprint": public.fingerprint,
            "files": {name: sha256_of(content) for name, content in kept.items()},
        }
    )
    signature = sign(home, manifest).signature.hex().encode()
    return Sealed({**kept, MANIFEST: manifest, SIGNATURE: signature}, sha256_of(manifest))


def is_in_place(folder: Path, sealed: Sealed) -> bool:
    """Whether the folder holds these very files."""
    return all((folder / n).is_file() and (folder / n).read_bytes() == c for n, c in sealed.files.items())


def put_in_place(folder: Path, sealed: Sealed) -> None:
    """Write the files beside and move them into place whole; what stood there has to be gone before."""
    fresh = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, content in sealed.files.items():
        write_whole(fresh / name, content)
    fresh.replace(folder)


def verify_folder(
    folder: Path, format_version: int, *, expected_fingerprint: str | None = None
) -> tuple[Manifest, list[str]]:
    """The manifest, and what is wrong with the folder's bytes, one line a problem.

    Without `expected_fingerprint` the signature proves that nothing changed since signing, not who signed.
    The manifest is empty when the signature does not hold.
    """
    try:
        manifest_bytes = (folder / MANIFEST).read_bytes()
        written = (folder / SIGNATURE).read_text("ascii")
        signature = bytes.fromhex(written)
        public_pem = (folder / PUBLIC_KEY).read_bytes()
        is_sound = is_signed(manifest_bytes, signature, public_pem)
        signer = fingerprint(public_pem)
    except (OSError, ValueError, UnsupportedAlgorithm) as failed:
        return {}, [f"the signature cannot be checked: {failed}"]
    if not is_sound or written != signature.hex():
        return {}, ["the manifest or its signature changed since signing"]
    if expected_fingerprint not in (None, signer):
        return {}, [f"signed by key {signer}, not by {expected_fingerprint}"]
    manifest = json.loads(manifest_bytes)
    if manifest.get("format_version") != format_version:
        return {}, [f"format version {manifest.get('format_version')} is not known here"]
    problems = _wrong_files(folder, manifest)
    if signer != manifest["key_fingerprint"]:
        problems.append("the public key is not the one that the manifest names")
    return manifest, problems


def _wrong_files(folder: Path, manifest: Manifest) -> list[str]:
    problems: list[str] = []
    if canonical_json(manifest) != (folder / MANIFEST).read_bytes():
        problems.append("the manifest is not canonical")
    listed = {**manifest["files"]}
    for file in sorted(p for p in folder.rglob("*") if not p.is_dir()):
        name = file.relative_to(folder).as_posix()
        if name in (MANIFEST, SIGNATURE):
            continue
        due = listed.pop(name, None)
        if due is None:
            problems.append(f"{name}: not in the manifest")
        elif file.is_symlink() or sha256_of(file.read_bytes()) != due:
            problems.append(f"{name}: its bytes changed since signing")
    return problems + [f"{name}: missing" for name in sorted(listed)]
