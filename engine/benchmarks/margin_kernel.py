"""Loops around the margin kernels, so that what is timed is the kernels and nothing else."""

from engine.blocks_kernel import at_address
from engine.compiled_kernel import inner, kernel
from engine.pipeline_kernel import NEARER
from engine.risk.account_kernel import foresee_account, freshen, note
from engine.risk.margin_kernel import can_carry, equity, initial_margin, maintenance_margin
from engine.risk.risk_block_kernel import RISK_BLOCK, RISK_MINOR, UNKNOWN

_risk_at = at_address(RISK_BLOCK)


@inner
def _foresee(risk, accounts, instruments, n):
    """As the engine's pass does, which has the commands of its batch before it."""
    if n + NEARER < len(accounts):
        foresee_account(risk, accounts[n + NEARER], instruments[n + NEARER])


@kernel
def check_orders(address, accounts, instruments, lots, first, last) -> int:
    """The test before each of the orders first..last-1. Returns how many pass."""
    risk = _risk_at(address)
    passed = 0
    for n in range(first, last):
        _foresee(risk, accounts, instruments, n)
        left = equity(risk, accounts[n])
        passed += 1 if can_carry(risk, accounts[n], instruments[n], lots[n], left) else 0
    return passed


@kernel
def take_orders(address, accounts, instruments, lots, first, last) -> int:
    """The test before each order, and what passes is reserved for. Returns how many pass."""
    risk = _risk_at(address)
    passed = 0
    for n in range(first, last):
        _foresee(risk, accounts, instruments, n)
        account_id, i = accounts[n], instruments[n]
        left = equity(risk, account_id)
        if can_carry(risk, account_id, i, lots[n], left):
            passed += 1
            reserve(risk, account_id, i, lots[n], 1)
    return passed


@kernel
def give_back(address, accounts, instruments, lots, first, last):
    """Take back what orders reserved."""
    risk = _risk_at(address)
    for n in range(first, last):
        reserve(risk, accounts[n], instruments[n], lots[n], -1)


@kernel
def reserve(risk, account_id, i, lots, sign):
    """Count an open order, or count it no more."""
    row = risk.positions[account_id, i]
    bids, asks = sign * max(lots, 0), sign * max(-lots, 0)
    row.open_buy_lots += bids
    row.open_sell_lots += asks
    note(risk, account_id, i, bids, asks)
    freshen(risk, account_id)


@kernel
def tell_exactly(address, accounts, first, last) -> int:
    """The exact initial margin of each account in turn."""
    risk = _risk_at(address)
    total = 0
    for n in range(first, last):
        risk.figures[accounts[n], RISK_MINOR] = UNKNOWN
        total += initial_margin(risk, accounts[n])
    return total


@kernel
def remark_all(address, count) -> int:
    """Make the figures of every account anew, and test it against maintenance. Returns how many are below."""
    risk = _risk_at(address)
    below = 0
    for account_id in range(1, count + 1):
        freshen(risk, account_id)
        has = equity(risk, account_id)
        needs = initial_margin(risk, account_id)
        if has < needs and has < maintenance_margin(risk, account_id, 0, 0):
            below += 1
    return below
