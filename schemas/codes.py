"""Every closed set, once. A code is an integer in engine, journal and lake, and a name from staging on."""

from __future__ import annotations

from enum import IntEnum


class AccountClass(IntEnum):
    """How an account is treated by the customer protection rule. Source: 17 CFR 240.15c3-3(a)(1)."""

    CUSTOMER_CASH = 1
    CUSTOMER_MARGIN = 2
    PAB = 3
    NON_CUSTOMER = 4
    FIRM = 5
    STREET = 6  # an outside participant that clears elsewhere: no balances of ours but the street side


class AccountStatus(IntEnum):
    """Whether an account may trade and move money."""

    ACTIVE = 1
    RESTRICTED = 2  # may cancel and reduce, may not open
    SUSPENDED = 3
    CLOSED = 4


class AssetClass(IntEnum):
    """What kind of thing is owned."""

    CURRENCY = 1
    SECURITY = 2
    TOKEN = 3


class InstrumentClass(IntEnum):
    """What kind of contract is traded; decides settlement and margin treatment."""

    EQUITY = 1
    FX_SPOT = 2
    CRYPTO_SPOT = 3
    CFD = 4
    PERPETUAL = 5
    OPTION = 6  # its premium is marked like a contract's price, not paid in advance


CONTRACTS = (InstrumentClass.CFD, InstrumentClass.PERPETUAL, InstrumentClass.OPTION)
"""What is a claim on a price difference and never delivered."""


class InstrumentState(IntEnum):
    """Which phase of its session an instrument is in."""

    OPEN = 1  # continuous trading
    HALTED = 2  # orders stay and may be cancelled or reduced
    CLOSED = 3
    PRE_OPEN = 4  # orders are collected, nothing trades
    OPENING_AUCTION = 5
    CLOSING_AUCTION = 6
    VOLATILITY_AUCTION = 7  # entered by itself when a trade would leave the dynamic band


class Side(IntEnum):
    """Buy or sell, from the order's point of view."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """How the order is priced."""

    LIMIT = 1
    MARKET = 2
    STOP = 3  # a market order once the last trade is at its stop or beyond
    STOP_LIMIT = 4  # a limit order once it is
    TRAILING_STOP = 5  # a stop that follows the best trade since it was placed
    PEGGED_PRIMARY = 6  # the best price of its own side, less an offset
    PEGGED_MID = 7  # the middle of the best bid and ask, less an offset


class TimeInForce(IntEnum):
    """How long the order lives."""

    DAY = 1
    IOC = 2
    FOK = 3
    GTC = 4
    GTD = 5
    AT_OPEN = 6  # for the opening auction only
    AT_CLOSE = 7  # for the closing auction only


class PostOnly(IntEnum):
    """What becomes of an order that must not take."""

    NONE = 0
    REJECT = 1
    REPRICE = 2  # to the best price at which it does not take


class SelfTradePrevention(IntEnum):
    """What becomes of an order that would meet one of its own group."""

    NONE = 0
    CANCEL_RESTING = 1
    CANCEL_AGGRESSING = 2
    CANCEL_BOTH = 3
    DECREMENT = 4  # both are reduced by the smaller quantity


class OrderLink(IntEnum):
    """How an order hangs together with another one."""

    NONE = 0
    OCO = 1  # what fills one reduces the other; the end of one is the end of the other
    AWAIT = 2  # waits for the entry order that will name it
    ENTRY = 3  # its end sets free the order that waits for it, for as much as was filled


class MarketAction(IntEnum):
    """What is asked of the matching engine."""

    PLACE = 0
    CANCEL = 1
    REPLACE = 2
    MASS_CANCEL = 3
    SET_STATE = 4
    SET_REFERENCE = 5
    EXPIRE = 6
    END_DAY = 7
    SET_KILL_SWITCH = 8
    CUT_REDUCE_ONLY = 9


class MarketEventKind(IntEnum):
    """What the matching engine did."""

    ACCEPTED = 1
    REFUSED = 2
    TRADED = 3
    CANCELLED = 4
    REPLACED = 5
    EXPIRED = 6
    RESTED = 7
    TRIGGERED = 8
    REFILLED = 9
    REDUCED = 10
    REPRICED = 11
    STATE_CHANGED = 12
    UNCROSSED = 13
    PAIRED = 14


class MarketEventReason(IntEnum):
    """Why the matching engine did it."""

    NONE = 0
    ASKED = 1  # by its owner
    MASS_CANCEL = 2
    DISCONNECT = 3
    SELF_TRADE = 4
    LINKED = 5  # the other leg ended, or was filled
    UNFILLED = 6  # what an order that may not rest could not fill
    DAY_END = 7
    TIME = 8  # good till then
    AUCTION = 9
    STOP = 10
    ENTRY = 11  # its entry order ended
    REDUCE_ONLY = 12
    PRICE_BAND = 13
    CIRCUIT_BREAKER = 14
    NO_ROOM = 15
    PRIORITY_KEPT = 16


class RejectReason(IntEnum):
    """Why a command was refused. Hundreds name the stage, in the order in which the stages look."""

    NONE = 0
    # admission: identity
    UNKNOWN_ACCOUNT = 101
    ACCOUNT_RESTRICTED = 102
    ACCOUNT_SUSPENDED = 103
    ACCOUNT_CLOSED = 104
    # admission: instrument
    UNKNOWN_INSTRUMENT = 201
    INSTRUMENT_HALTED = 202
    INSTRUMENT_CLOSED = 203
    # admission: order
    UNKNOWN_CODE = 301
    BAD_QUANTITY = 302
    BAD_PRICE = 303
    PRICE_OUTSIDE_COLLAR = 304
    ORDER_TOO_LARGE = 305
    NOTIONAL_TOO_LARGE = 306
    DUPLICATE_ID = 307
    RATE_EXCEEDED = 308
    # margin
    INSUFFICIENT_MARGIN = 401
    INSUFFICIENT_CASH = 402
    INSUFFICIENT_SECURITIES = 403
    WOULD_INCREASE = 404  # a reduce-only order beyond what there is to reduce
    # matching
    UNKNOWN_ORDER = 501
    WOULD_TAKE = 502
    CANNOT_FILL = 503
    BOOK_FULL = 504
    WRONG_SESSION = 505  # not in this phase of the session
    BAD_TERMS = 506  # stop, trail, offset, display, minimum or expiry do not fit the order
    BAD_LINK = 507
    TRADING_STOPPED = 508  # the kill switch is on
    NOT_AMENDABLE = 509  # this part of such an order cannot change
    # reference data and the slow lane
    CAPACITY_REACHED = 601
    ALREADY_EXISTS = 602
    UNKNOWN_REFERENCE = 603
    BAD_AMOUNT = 604
    WRONG_STATE = 605
    SAME_PERSON = 606
    MISMATCH = 607
    NOT_CONFIGURED = 608
    UNSENT_NOTICE = 609
    BAD_DECLARATION = 610
    OUT_OF_RANGE = 611  # a column is not what its kind admits
    BELOW_REQUIREMENT = 612  # less than is required would remain on deposit


class ScenarioGroup(IntEnum):
    """How a scenario counts for margin: a mean of the worst of its kind, or alone."""

    HISTORICAL = 1  # days of the past, scaled to what volatility is now
    STRESS = 2  # named days that nobody forgets
    EXTREME = 3  # what has not happened yet; its loss is damped


class MarginState(IntEnum):
    """Where an account stands, from good to bad."""

    FREE = 0
    WARNED = 1
    NO_NEW_RISK = 2  # equity is below initial margin: orders must lower the risk
    CANCELLED = 3  # open orders are taken away
    LIQUIDATED = 4  # equity is below maintenance: positions are closed
    BANKRUPT = 5  # equity is below zero


class LedgerAccountKind(IntEnum):
    """The chart of accounts. Owner kinds say who is owed; location kinds say where it is.

    In each asset the sum over all kinds is zero: every unit has an owner side and a location side.
    """

    # owner side (credit balances)
    CLIENT = 1  # party is the account
    FIRM_CAPITAL = 2
    FEE_INCOME = 3
    BANK_LOAN = 4  # party is the lending bank
    WITHDRAWAL_PAYABLE = 5  # approved withdrawals and outstanding drafts; party is the account
    SUSPENSE = 6  # arrived, and nobody knows whose it is
    STOCK_BORROWED = 7  # securities that go back to the lender; party is the counterparty
    REVERSE_REPO = 8  # securities bought under an agreement to sell them back; party is the counterparty
    STOCK_LOAN_PAYABLE = 9  # money taken against securities lent; party is the counterparty
    REPO_PAYABLE = 10  # money taken under agreements to buy back; party is the counterparty
    # location side (debit balances; negative where the firm owes delivery)
    STREET_PENDING = 11  # party is the account whose trades make the claim on the clearing house
    FAIL = 12  # party is the account whose obligation failed
    NOSTRO = 13
    RESERVE_BANK = 14  # for the exclusive benefit of customers; party is the bank
    CUSTODY = 15
    COLLATERAL_AT_BANK = 16  # securities pledged for a bank loan; not a good control location
    STOCK_LENT = 17  # party is the counterparty
    REPO_COLLATERAL = 18  # securities sold under agreements to buy them back; party is the counterparty
    STOCK_BORROW_RECEIVABLE = 19  # money given against securities borrowed; party is the counterparty
    REVERSE_REPO_RECEIVABLE = 20  # money given under agreements to sell back; party is the counterparty
    IN_TRANSFER = 21  # at a transfer agent or issuer
    SUSPENSE_SHORT = 22  # gone, and nobody knows why
    COUNT_DIFFERENCE = 23  # in our books, and not found when it was counted
    DISTRIBUTION_RECEIVABLE = 24  # dividends and splits that owners were credited with before they arrived
    MARGIN_AT_OCC = 25  # on deposit with the Options Clearing Corporation
    MARGIN_AT_DCO = 26  # on deposit with a derivatives clearing organization
    MARGIN_AT_TREASURY_CLEARING = 27  # on deposit with a clearing agency for US Treasury securities
    PAB_RESERVE_BANK = 28  # for brokers and dealers; party is the bank


class PostingReason(IntEnum):
    """Why money or securities moved."""

    TRADE = 1
    FEE = 2
    SETTLEMENT = 3
    FAIL = 4
    DEPOSIT = 5
    WITHDRAWAL = 6
    WITHDRAWAL_PAID = 7
    SECURITIES_TRANSFER = 8
    BANK_LOAN = 9
    PLEDGE = 10
    VARIATION = 11
    RESERVE_DEPOSIT = 12
    CAPITAL = 13
    TAKE_OVER = 14
    DEFICIT = 15  # a negative balance that the firm bears
    FINANCING = 16  # stock borrow or loan, repo or reverse repo
    FINANCING_RETURN = 17
    LOAN_REPAYMENT = 18
    PLEDGE_RELEASE = 19
    CLEARING_MARGIN = 20
    CLEARING_MARGIN_RETURN = 21
    TRANSFER = 22
    TRANSFER_COMPLETED = 23
    SUSPENSE = 24
    SUSPENSE_CLEARED = 25
    COUNT_DIFFERENCE = 26
    COUNT_RESOLVED = 27
    DISTRIBUTION = 28
    DISTRIBUTION_RECEIVED = 29
    DRAFT = 30
    DRAFT_PAID = 31


class FinancingKind(IntEnum):
    """Securities against money for a time."""

    STOCK_BORROW = 1  # securities come, money goes as collateral
    STOCK_LOAN = 2  # securities go, money comes as collateral
    REPO = 3  # securities sold and to be bought back
    REVERSE_REPO = 4  # securities bought and to be sold back


class ClearingAgency(IntEnum):
    """Where margin of cleared positions lies. Source: 17 CFR 240.15c3-3a, Items 13 to 15."""

    OCC = 1
    DCO = 2
    TREASURY = 3


class SuspenseSide(IntEnum):
    """Which side of a movement nobody can explain yet."""

    LONG = 1  # it is here, and nobody is known to own it
    SHORT = 2  # it is gone, and nobody is known to have it


class ReserveFormula(IntEnum):
    """For whose benefit a reserve is kept. Source: 17 CFR 240.15c3-3(e)(1)."""

    CUSTOMER = 1
    PAB = 2  # proprietary accounts of brokers and dealers


class CapitalMethod(IntEnum):
    """How net capital is reckoned. Source: 17 CFR 240.15c3-1(a)(1)."""

    ALTERNATIVE = 1
    BASIC = 2  # aggregate indebtedness


class ControlStep(IntEnum):
    """What brings securities into possession or control. Source: 17 CFR 240.15c3-3(d)."""

    RELEASE_LIEN = 1
    RECALL_LOAN = 2
    BUY_IN = 3  # or other prompt steps


class ObligationSide(IntEnum):
    """What the account does against payment."""

    RECEIVE = 1
    DELIVER = 2
    PAY_CASH = 3  # variation or cash difference owed to the clearing house
    COLLECT_CASH = 4


class ObligationStatus(IntEnum):
    """Where a settlement obligation stands."""

    INSTRUCTED = 1
    PARTIALLY_SETTLED = 2
    FAILED = 3
    SETTLED = 4


class IncidentStatus(IntEnum):
    """The life of a data incident. Source: 17 CFR 248.30(a)(3)."""

    ASSESSING = 1
    CONTAINED = 2
    DETERMINATION_PROPOSED = 3
    NOTIFYING = 4
    NO_NOTICE = 5
    CLOSED = 6


class IncidentClock(IntEnum):
    """A deadline of Regulation S-P. Source: 17 CFR 248.30(a)(4) and (a)(5)."""

    NOTICE_TO_INDIVIDUALS = 1  # 30 calendar days after becoming aware
    NOTICE_FROM_PROVIDER = 2  # 72 hours after the provider became aware
    ATTORNEY_GENERAL_DELAY = 3  # replaces the notice deadline
    RETENTION = 4  # three years


class AwareSource(IntEnum):
    """Who found the incident first."""

    SELF = 1
    PROVIDER = 2


class Conclusion(IntEnum):
    """What the investigation concluded. Source: 17 CFR 248.30(a)(4)(i)."""

    NOTIFY = 1
    NO_NOTICE = 2


class NoticeChannel(IntEnum):
    """How a notice was sent."""

    MAIL = 1
    ELECTRONIC = 2


class DocumentType(IntEnum):
    """What a recorded document is."""

    INVESTIGATION = 1
    CONTAINMENT = 2
    DETERMINATION = 3
    NOTICE = 4
    ATTORNEY_GENERAL = 5
    PROVIDER_REPORT = 6


class EntrySide(IntEnum):
    """Credit or debit on a bank statement, from the account owner's point of view."""

    CREDIT = 1
    DEBIT = 2


class StatementType(IntEnum):
    """Which bank report a line came from."""

    INTRADAY_REPORT = 52  # camt.052
    STATEMENT = 53  # camt.053
    ADVICE = 54  # camt.054


class AdviceType(IntEnum):
    """What a settlement message says."""

    STATUS = 24  # sese.024
    CONFIRMATION = 25  # sese.025
