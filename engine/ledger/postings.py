"""Which money and securities an event moves: with `posting_kernel.py`, the only place that says so.

Owns the transfers of slow events. Does not own those of executions (the kernel) nor the balances.
A debit stands before a credit everywhere; owner kinds carry credit, location kinds debit balances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.ledger.financing_moves import FINANCING_MOVES
from engine.ledger.moves import CUSTODY, FIRM_CAPITAL, NOSTRO, Move, Moves, Party, place_of
from engine.ledger.safekeeping_moves import SAFEKEEPING_MOVES
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import (
    ObligationSide,
    PostingReason,
    ReserveFormula,
)
from schemas.headers import Event
from schemas.ledger import BankLoanTaken, CapitalContributed
from schemas.payments import (
    DepositCredited,
    DraftIssued,
    DraftPaid,
    SecuritiesTransferredIn,
    WithdrawalApproved,
    WithdrawalPaid,
)
from schemas.reserve import ReserveDepositOrdered, ReserveSecuritiesMoved
from schemas.risk import DeficitWrittenOff, PositionTakenOver
from schemas.settlement import (
    SettlementConfirmed,
    SettlementFailed,
    SettlementInstructed,
    VariationSettled,
)

if TYPE_CHECKING:
    from engine.state import State


class Transfer(NamedTuple):
    """One posting to be made; the fields are Posting's own columns."""

    posting_reason_code: int
    asset_id: int
    amount_units: int
    debit_account_kind_code: int
    debit_party_id: int
    credit_account_kind_code: int
    credit_party_id: int
    reference_id: int
    value_epoch_day: int


RESERVE_KINDS = {
    ReserveFormula.CUSTOMER: Kind.RESERVE_BANK,
    ReserveFormula.PAB: Kind.PAB_RESERVE_BANK,
}


def transfers(state: State, event: Event) -> Iterator[Transfer]:
    """What the event moves, in order; nothing when it moves nothing. `state` is after the event."""
    moves = _TRANSFERS.get(type(event))
    if moves is not None:
        for move in moves(state, event):
            if move.units:
                yield _transfer(_value_epoch_day(state, event), move)


def _value_epoch_day(state: State, event: Event) -> int:
    """Today; but a bank carries out a reserve deposit on the banking day after it was ordered."""
    is_reserve = isinstance(event, ReserveDepositOrdered)
    return state.next_epoch_day if is_reserve else state.business_epoch_day


def _transfer(value_epoch_day: int, move: Move) -> Transfer:
    return Transfer(
        int(move.reason),
        move.asset_id,
        move.units,
        int(move.debit.kind),
        move.debit.party_id,
        int(move.credit.kind),
        move.credit.party_id,
        move.reference_id,
        value_epoch_day,
    )


# Payments of clients ----------------------------------------------------------------------------


def _deposit(state: State, e: DepositCredited) -> Moves:
    client, place = Party(Kind.CLIENT, e.account_id), place_of(state, e.asset_id)
    yield Move(PostingReason.DEPOSIT, e.asset_id, e.amount_units, place, client, e.payment_id)


def _securities_in(_: State, e: SecuritiesTransferredIn) -> Moves:
    reason, client = PostingReason.SECURITIES_TRANSFER, Party(Kind.CLIENT, e.account_id)
    yield Move(reason, e.asset_id, e.amount_units, CUSTODY, client, e.payment_id)


def _withdrawal(_: State, e: WithdrawalApproved) -> Moves:
    client = Party(Kind.CLIENT, e.account_id)
    payable = Party(Kind.WITHDRAWAL_PAYABLE, e.account_id)
    yield Move(PostingReason.WITHDRAWAL, e.asset_id, e.amount_units, client, payable, e.payment_id)


def _withdrawal_paid(_: State, e: WithdrawalPaid) -> Moves:
    reason, payable = PostingReason.WITHDRAWAL_PAID, Party(Kind.WITHDRAWAL_PAYABLE, e.account_id)
    yield Move(reason, e.asset_id, e.amount_units, payable, NOSTRO, e.payment_id)


def _draft(_: State, e: DraftIssued) -> Moves:
    client = Party(Kind.CLIENT, e.account_id)
    payable = Party(Kind.WITHDRAWAL_PAYABLE, e.account_id)
    yield Move(PostingReason.DRAFT, e.asset_id, e.amount_units, client, payable, e.payment_id)


def _draft_paid(_: State, e: DraftPaid) -> Moves:
    reason, payable = PostingReason.DRAFT_PAID, Party(Kind.WITHDRAWAL_PAYABLE, e.account_id)
    yield Move(reason, e.asset_id, e.amount_units, payable, NOSTRO, e.payment_id)


# The firm's own money ---------------------------------------------------------------------------


def _capital(_: State, e: CapitalContributed) -> Moves:
    reason, reference = PostingReason.CAPITAL, e.cause_sequence
    yield Move(reason, e.asset_id, e.amount_units, NOSTRO, FIRM_CAPITAL, reference)


def _bank_loan(_: State, e: BankLoanTaken) -> Moves:
    loan, pledged = Party(Kind.BANK_LOAN, e.bank_id), Party(Kind.COLLATERAL_AT_BANK, e.bank_id)
    money, security = e.money_asset_id, e.pledged_asset_id
    yield Move(PostingReason.BANK_LOAN, money, e.loan_units, NOSTRO, loan, e.sequence)
    yield Move(PostingReason.PLEDGE, security, e.pledged_units, pledged, CUSTODY, e.sequence)


def _reserve(_: State, e: ReserveDepositOrdered) -> Moves:
    reason, asset, reference = PostingReason.RESERVE_DEPOSIT, e.asset_id, e.payment_id
    reserve = Party(RESERVE_KINDS[ReserveFormula(e.reserve_formula_code)], e.bank_id)
    yield Move(reason, asset, e.deposit_minor, reserve, NOSTRO, reference)
    yield Move(reason, asset, e.withdrawal_minor, NOSTRO, reserve, reference)


def _reserve_securities(_: State, e: ReserveSecuritiesMoved) -> Moves:
    reserve = Party(RESERVE_KINDS[ReserveFormula(e.reserve_formula_code)], e.bank_id)
    debit, credit = (reserve, CUSTODY) if e.moved_units > 0 else (CUSTODY, reserve)
    yield Move(PostingReason.RESERVE_DEPOSIT, e.asset_id, abs(e.moved_units), debit, credit, e.payment_id)


# Settlement -------------------------------------------------------------------------------------


def _variation(state: State, e: VariationSettled) -> Moves:
    asset_id = int(state.instruments[e.instrument_id]["quote_asset_id"])
    client, pending = Party(Kind.CLIENT, e.account_id), Party(Kind.STREET_PENDING, e.account_id)
    debit, credit = (pending, client) if e.variation_minor > 0 else (client, pending)
    reason, units = PostingReason.VARIATION, abs(e.variation_minor)
    yield Move(reason, asset_id, units, debit, credit, e.sequence)


def _confirmed(state: State, e: SettlementConfirmed) -> Moves:
    obligation = state.settlement.obligations[e.obligation_id]
    told = obligation.instructed
    waited = Kind.FAIL if obligation.has_failed else Kind.STREET_PENDING
    place = place_of(state, told.asset_id) if told.asset_id else CUSTODY
    return _against_payment(
        PostingReason.SETTLEMENT,
        told,
        (e.settled_units, e.settled_minor),
        Party(waited, told.account_id),
        (place, NOSTRO),
    )


def _failed(state: State, e: SettlementFailed) -> Moves:
    told = state.settlement.obligations[e.obligation_id].instructed
    fail, pending = Party(Kind.FAIL, told.account_id), Party(Kind.STREET_PENDING, told.account_id)
    amounts = e.failed_units, e.failed_minor
    return _against_payment(PostingReason.FAIL, told, amounts, pending, (fail, fail))


def _against_payment(
    reason: PostingReason,
    told: SettlementInstructed,
    amounts: tuple[int, int],
    waited: Party,
    places: tuple[Party, Party],
) -> Moves:
    """Units and money leave where they waited; a receiver's units arrive, its money goes.

    `amounts` and `places` are of the units and of the money.
    """
    (units, minor), (unit_place, money_place) = amounts, places
    reference, paid_in = told.obligation_id, told.quote_asset_id
    if told.obligation_side_code in (ObligationSide.RECEIVE, ObligationSide.PAY_CASH):
        yield Move(reason, told.asset_id, units, unit_place, waited, reference)
        yield Move(reason, paid_in, minor, waited, money_place, reference)
    else:
        yield Move(reason, told.asset_id, units, waited, unit_place, reference)
        yield Move(reason, paid_in, minor, money_place, waited, reference)


# Accounts that cannot pay ------------------------------------------------------------------------


def _taken_over(state: State, e: PositionTakenOver) -> Moves:
    """Units go with the position where it has any; a contract's is a row of its own."""
    instrument = state.instruments[e.instrument_id]
    client, house = Party(Kind.CLIENT, e.account_id), Party(Kind.CLIENT, e.house_account_id)
    reason = PostingReason.TAKE_OVER
    if not state.is_contract(e.instrument_id):
        units = abs(e.taken_lots) * int(instrument["lot_units"])
        giver, taker = (client, house) if e.taken_lots > 0 else (house, client)
        yield Move(reason, int(instrument["base_asset_id"]), units, giver, taker, e.sequence)
    payer, payee = (house, client) if e.paid_minor > 0 else (client, house)
    yield Move(reason, int(instrument["quote_asset_id"]), abs(e.paid_minor), payer, payee, e.sequence)


def _written_off(state: State, e: DeficitWrittenOff) -> Moves:
    client, money = Party(Kind.CLIENT, e.account_id), state.money_asset_id
    yield Move(PostingReason.DEFICIT, money, e.deficit_minor, FIRM_CAPITAL, client, e.sequence)


_TRANSFERS: dict[type[Event], Callable[[Any, Any], Moves]] = {
    **FINANCING_MOVES,
    **SAFEKEEPING_MOVES,
    DepositCredited: _deposit,
    SecuritiesTransferredIn: _securities_in,
    WithdrawalApproved: _withdrawal,
    WithdrawalPaid: _withdrawal_paid,
    CapitalContributed: _capital,
    BankLoanTaken: _bank_loan,
    ReserveDepositOrdered: _reserve,
    ReserveSecuritiesMoved: _reserve_securities,
    DraftIssued: _draft,
    DraftPaid: _draft_paid,
    VariationSettled: _variation,
    SettlementConfirmed: _confirmed,
    SettlementFailed: _failed,
    PositionTakenOver: _taken_over,
    DeficitWrittenOff: _written_off,
}
