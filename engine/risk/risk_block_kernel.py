"""What the margin of an account is computed from, as kernels see it: one block.

Owns: the block and the places of an account's figures. Does not own: filling it (tables.py), computing with
it (account_kernel.py, margin_kernel.py).
"""

from engine.blocks_kernel import WORD, BlockType, rows_of, words
from schemas.market import InstrumentRow
from schemas.risk import AccountMarginRow, InstrumentRiskRow, MarginModelRow, PositionRow

RISK_BLOCK = BlockType(
    "RISK",
    instruments=rows_of(InstrumentRow),
    positions=rows_of(PositionRow, 2),
    amounts=words(2),
    money_asset_id=WORD,
    terms=rows_of(InstrumentRiskRow),
    model=rows_of(MarginModelRow),
    account_terms=rows_of(AccountMarginRow),
    version=WORD,  # figures of an account that were made at another are not to be used
    scenario_count=WORD,  # words of every vector; zero as long as no set is in force
    stress_from=WORD,  # the historical ones lie before
    extreme_from=WORD,  # the stress ones lie before
    historical_tail=WORD,
    stress_tail=WORD,
    profits=words(2),  # (instruments, scenarios): of a lot; the sum of the one less the other of the next two
    bid_losses=words(2),  # the part of it that a bid can lose
    ask_losses=words(2),  # the part of its negative that an ask can lose
    vectors=words(2),  # (accounts, scenarios): positions and the worst that open orders can do to them
    figures=words(2),  # (accounts, FIGURE_COUNT)
    parts=words(3),  # (accounts, instruments, PART_COUNT): what each adds to the figures
    bases=words(2),  # (accounts, assets): what hedges within an underlying add
    names=words(2),  # (accounts, assets): worst value of a single name
    ring=words(),  # the next instrument of the same underlying, round and round
    scratch=words(),  # two vectors and a word
)

(
    VERSION,
    HOLDINGS,  # value of positions, less haircuts and the cost of contracts
    CHARGE,  # add-ons of single instruments, and the margin of those without a model
    RETAIL,  # what a retail client has to have at least
    GROSS,  # value of everything, for bounds
    BASIS,  # floor under hedges between instruments of one underlying
    NAMES,  # value of all single names
    HISTORICAL_LEVEL,  # a level that not many historical losses exceed
    STRESS_LEVEL,
    CHANGED,  # the instrument whose part is out of date; zero for none
    NEW_BIDS,  # lots of it that the vector has yet to reserve for bids
    NEW_ASKS,  # and for asks
    RISK_MINOR,  # scenario risk of the vector as it is; UNKNOWN where it has changed since it was told
    FIGURE_COUNT,
) = range(14)
UNKNOWN = -1
PART_COUNT = 4  # holdings, charge, retail, gross: the first figures behind the version, in their order
