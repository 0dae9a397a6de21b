"""Synthetic persons behind the clients; they go into the vault and nowhere else.

Owns: made-up names, addresses and bank accounts with valid check digits. Does not own: the vault.
"""

from __future__ import annotations

import random

from engine.gateway.vault import Person, Vault
from engine.simulation.identifiers import with_iban_check

GIVEN = (
    "Ada", "Bram", "Cora", "Dario", "Edda", "Fynn", "Greta", "Hanno", "Ines", "Jonas", "Kaja",
    "Levi", "Mira", "Nils", "Oda", "Per", "Quirin", "Rosa", "Sven", "Tilda",
)  # fmt: skip
FAMILY = (
    "Ahlberg", "Brandis", "Cassar", "Dorn", "Ebers", "Falke", "Grothe", "Hansum", "Ivers", "Jessen",
    "Kolbe", "Lindner", "Marten", "Norden", "Ostrow", "Paulsen", "Quist", "Reimer", "Sandvik",
)  # fmt: skip
STREETS = ("Harbour Lane", "Mill Road", "Orchard Street", "Station Way", "Chapel Hill")
BANK_BIC = "NOBKDEF0XXX"  # a test code, as the eighth character tells
TOWNS = (("Hamburg", "DE"), ("Utrecht", "NL"), ("Graz", "AT"), ("Aarhus", "DK"))


def make_person(client_id: int, seed: int) -> Person:
    """The person of a client; the same for the same seed."""
    rng = random.Random(f"{seed}:person:{client_id}")
    town, country = rng.choice(TOWNS)
    account = f"99999999{client_id:010d}"  # a bank code that was never given to a bank
    return Person(
        name=f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}",
        street=rng.choice(STREETS),
        building=str(rng.randint(1, 199)),
        postcode=f"{rng.randint(10_000, 99_999)}",
        town=town,
        country=country,
        iban=with_iban_check("DE", account),
        bank_bic=BANK_BIC,
    )


def fill_vault(vault: Vault, client_ids: tuple[int, ...], seed: int) -> None:
    """Store a person for every client."""
    for client_id in client_ids:
        vault.put(client_id, make_person(client_id, seed))
