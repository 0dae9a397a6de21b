"""The vault: round trip, tampering, foreign keys, erasure, and no readable name on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import Home
from engine.errors import PlatformError
from engine.gateway.vault import Person, UnknownPerson, Vault, VaultDamaged

ADA = Person(
    name="Ada Quillfeather",
    street="Larkspur Lane",
    building="17",
    postcode="10001",
    town="Zephyrville",
    country="US",
    iban="DE89370400440532013000",
)
BEN = Person(
    name="Ben Ostrander",
    street="Mill Road",
    building="4",
    postcode="EC1A",
    town="Tillingham",
    country="GB",
    iban="GB29NWBK60161331926819",
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_what_is_put_is_got_by_any_later_reader(home: Home) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    vault.put(2, BEN)
    assert (Vault.open(home).get(1), Vault.open(home).get(2)) == (ADA, BEN)
    vault.put(1, BEN)
    assert Vault.open(home).get(1) == BEN


def test_no_planted_value_is_in_any_file(home: Home) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    written = [p for p in home.root.rglob("*") if p.is_file()]
    assert {p.name for p in written} == {"persons.jsonl", "keys.jsonl", "lock", "vault.key"}
    for path in written:
        for value in (ADA.name, ADA.street, ADA.town, ADA.iban, "Quillfeather"):
            assert value.encode() not in path.read_bytes()


def test_key_and_files_are_for_the_owner_only(home: Home) -> None:
    Vault.open(home).put(1, ADA)
    key = home.keys / "vault.key"
    for path in (key, home.vault / "keys.jsonl", home.vault / "persons.jsonl"):
        assert path.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(PlatformError, match="others may read"):
        Vault.open(home)


@pytest.mark.parametrize("name", ["persons.jsonl", "keys.jsonl"])
def test_a_changed_byte_is_found(home: Home, name: str) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    path = home.vault / name
    line = json.loads(path.read_text())
    changed = next(k for k in line if k != "client_id")
    line[changed] = f"{int(line[changed][:2], 16) ^ 1:02x}" + line[changed][2:]
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(VaultDamaged):
        vault.get(1)


def test_a_row_moved_to_another_client_is_found(home: Home) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    for name in ("persons.jsonl", "keys.jsonl"):
        path = home.vault / name
        path.write_text(path.read_text().replace('"client_id": 1', '"client_id": 9'))
    with pytest.raises(VaultDamaged):
        vault.get(9)


def test_fields_cannot_be_swapped(home: Home) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    path = home.vault / "persons.jsonl"
    line = json.loads(path.read_text())
    line["name"], line["town"] = line["town"], line["name"]
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(VaultDamaged):
        vault.get(1)


def test_another_key_reads_nothing(home: Home) -> None:
    Vault.open(home).put(1, ADA)
    (home.keys / "vault.key").unlink()
    with pytest.raises(VaultDamaged):
        Vault.open(home).get(1)


def test_an_erased_client_is_gone_and_the_others_stay(home: Home) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    vault.put(2, BEN)
    wrapped = json.loads((home.vault / "keys.jsonl").read_text().splitlines()[0])["data_key"]
    vault.erase(1)
    vault.erase(1)
    with pytest.raises(UnknownPerson):
        vault.get(1)
    assert vault.get(2) == BEN
    assert not [p for p in home.vault.iterdir() if wrapped.encode() in p.read_bytes()]


def test_an_erased_client_stays_erased_when_the_key_line_of_another_comes_back(home: Home) -> None:
    vault = Vault.open(home)
    vault.put(1, ADA)
    vault.put(2, BEN)
    vault.erase(1)
    keys = home.vault / "keys.jsonl"
    forged = {**json.loads(keys.read_text()), "client_id": 1}
    keys.write_text(json.dumps(forged) + "\n")
    with pytest.raises(VaultDamaged):
        vault.get(1)


def test_a_client_that_was_never_stored_is_unknown(home: Home) -> None:
    with pytest.raises(UnknownPerson):
        Vault.open(home).get(5)
