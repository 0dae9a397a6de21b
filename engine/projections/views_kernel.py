"""Fills, postings and margins folded into current figures: what a busy frame is full of.

Owns: the layout of what such figures are kept in, and how they are added up. Does not own: any other figure,
or which frame comes next (`views.py`).
"""

from engine.blocks_kernel import BlockType, at_address, rows_of, words
from engine.compiled_kernel import inner, kernel
from schemas.codes import LedgerAccountKind, Side
from schemas.ledger import Posting
from schemas.market import Fill
from schemas.risk import MarginChanged

FOLDED_CLASSES: dict[str, type] = {"fills": Fill, "postings": Posting, "margins": MarginChanged}
VIEW_BLOCK = BlockType(
    "VIEW",
    **{name: rows_of(cls) for name, cls in FOLDED_CLASSES.items()},
    equity_minor=words(),  # by account
    initial_margin_minor=words(),
    balance_units=words(2),  # by account and asset: what is owed to the client
    traded_lots=words(2),  # by account and instrument: bought less sold
    last_price_ticks=words(),  # by instrument
    volume_lots=words(),
    fill_count=words(),
    day_epoch_day=words(),  # the business day of the last fill
    day_lots=words(),  # what was traded on it
)
"""The rows of one frame, and the figures that they change."""

_BUY = int(Side.BUY)
_CLIENT = int(LedgerAccountKind.CLIENT)
_view_at = at_address(VIEW_BLOCK)


@inner
def _is_place(table, row, column):
    return 0 <= row < table.shape[0] and 0 <= column < table.shape[1]


@kernel
def fold(address) -> bool:
    """Take in the rows that a VIEW block points to; whether all of them name what there is room for."""
    view = _view_at(address)
    for i in range(len(view.fills)):
        if not _fold_fill(view, view.fills[i]):
            return False
    for i in range(len(view.postings)):
        row = view.postings[i]
        if row.debit_account_kind_code == _CLIENT:
            if not _is_place(view.balance_units, row.debit_party_id, row.asset_id):
                return False
            view.balance_units[row.debit_party_id, row.asset_id] -= row.amount_units
        if row.credit_account_kind_code == _CLIENT:
            if not _is_place(view.balance_units, row.credit_party_id, row.asset_id):
                return False
            view.balance_units[row.credit_party_id, row.asset_id] += row.amount_units
    for i in range(len(view.margins)):
        row = view.margins[i]
        if not 0 <= row.account_id < len(view.equity_minor):
            return False
        view.equity_minor[row.account_id] = row.equity_minor
        view.initial_margin_minor[row.account_id] = row.initial_margin_minor
    return True


@kernel
def _fold_fill(view, row):
    at, lots = row.instrument_id, row.quantity_lots
    lots_held = view.traded_lots
    if not _is_place(lots_held, row.taker_account_id, at) or not _is_place(
        lots_held, row.maker_account_id, at
    ):
        return False
    view.last_price_ticks[at] = row.price_ticks
    view.volume_lots[at] += lots
    view.fill_count[at] += 1
    if view.day_epoch_day[at] != row.trade_epoch_day:
        view.day_epoch_day[at] = row.trade_epoch_day
        view.day_lots[at] = 0
    view.day_lots[at] += lots
    bought = lots if row.taker_side_code == _BUY else -lots
    lots_held[row.taker_account_id, at] += bought
    lots_held[row.maker_account_id, at] -= bought
    return True
