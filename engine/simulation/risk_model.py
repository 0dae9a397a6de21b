"""How the simulated firm margins: the synthetic set, and what each listing has to do with its factors.

Owns: the terms of the simulated instruments. Does not own: the set itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.risk.loading import commands_of, factor_numbers
from engine.risk.model.synthetic_set import synthetic_set
from engine.simulation.world import ASSET_BY_ID, LISTINGS, Listing, World
from schemas.codes import AccountClass, InstrumentClass
from schemas.headers import Command
from schemas.risk import SetAccountMargin, SetInstrumentRisk

RISK_MANAGER = 131
SET_ID = 1
MILLION = 1_000_000
RETAIL_EVERY = 4  # of the margin accounts, one in so many is a retail client's


class Terms(NamedTuple):
    """What a class of instruments asks beside scenarios, in millionths of the value."""

    half_spread_ppm: int
    impact_ppm: int  # of a whole day's volume
    daily_lots: int
    carry_ppm: int
    basis_ppm: int
    retail_cap_ppm: int
    haircut_ppm: int
    is_single_name: int
    second_from_lots: int = 0  # of a holding, beyond which the second haircut counts
    second_haircut_ppm: int = 0


TERMS = {
    InstrumentClass.EQUITY: Terms(150, 30_000, 400_000, 0, 5_000, 200_000, 0, 1),
    InstrumentClass.FX_SPOT: Terms(30, 8_000, 60_000, 0, 1_000, 33_334, 0, 0),
    InstrumentClass.CRYPTO_SPOT: Terms(120, 40_000, 50_000, 0, 5_000, 500_000, 100_000, 0, 20_000, 250_000),
    InstrumentClass.CFD: Terms(180, 30_000, 300_000, 100, 5_000, 200_000, 0, 1),
    InstrumentClass.PERPETUAL: Terms(80, 35_000, 90_000, 300, 5_000, 500_000, 0, 0),
}


def risk_commands(world: World, at_ns: int) -> Iterator[Command]:
    """The scenario set, the terms of every listing, and which clients are retail."""
    made = synthetic_set("small")
    yield from commands_of(made, SET_ID, {}, RISK_MANAGER, at_ns)
    numbers = factor_numbers(made, {})
    for listing in LISTINGS:
        yield _terms(listing, numbers, at_ns)
    margined = [h for h in world.customers() if h.account_class is AccountClass.CUSTOMER_MARGIN]
    for holder in margined[::RETAIL_EVERY]:
        yield SetAccountMargin(
            sequence=0,
            received_at_ns=at_ns,
            account_id=holder.account_id,
            is_retail=1,
            has_protection=1,
            own_asset_id=0,
        )


def _terms(listing: Listing, numbers: dict[str, int], at_ns: int) -> Command:
    symbol = ASSET_BY_ID[listing.base_asset_id].symbol
    return SetInstrumentRisk(
        sequence=0, received_at_ns=at_ns, instrument_id=listing.instrument_id, is_modelled=1,
        first_factor_id=numbers[symbol], first_beta_ppm=MILLION, second_factor_id=0, second_beta_ppm=0,
        basis_factor_id=numbers.get(f"{symbol}_BASIS", 0) if listing.symbol != symbol else 0,
        peg_factor_id=0, third_from_lots=0, third_haircut_ppm=0, **TERMS[listing.instrument_class]._asdict(),
    )  # fmt: skip
