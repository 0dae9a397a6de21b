"""Accounts: opened, restricted, suspended. Who owns one stands in the vault, never here."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountClassCode,
    AccountId,
    AccountStatusCode,
    AskedAccountId,
    AskedFlag,
    ClientId,
    Count,
    FeeGroupId,
    Flag,
    GroupId,
    HouseholdId,
    Minor,
    NoDocumentId,
    PersonId,
    SelfTradeCode,
)
from schemas.record import Role, field, record


@dataclass(frozen=True, kw_only=True)
class AccountTerms:
    """Whose an account is, how it is treated, and its limits."""

    client_id: ClientId = field("Who owns it.")
    account_class_code: AccountClassCode = field("Its treatment by customer protection.")
    max_notional_minor: Minor = field("Largest order in money.", cite="17 CFR 240.15c3-5(c)(1)(i)")
    rate_count: Count = field("Most trading commands in one second; zero means no limit.")
    identity_document_id: NoDocumentId = field("The verification on file.", cite="31 CFR 1023.220")


@record(table="open_account", key="sequence", role=Role.COMMAND, type_code=20)
class OpenAccount(AccountTerms, Command):
    """Open an account for a client whose identity was verified."""

    account_id: AskedAccountId = field("The number to give.")


@record(table="change_account_status", key="sequence", role=Role.COMMAND, type_code=21)
class ChangeAccountStatus(Command):
    """Restrict, suspend, reinstate or close an account."""

    account_id: AskedAccountId = field("The account.")
    account_status_code: AccountStatusCode = field("The status asked for.")
    operator_id: PersonId = field("Who asked.")


@record(table="accounts", key="account_id", role=Role.EVENT, type_code=120)
class AccountOpened(AccountTerms, Event):
    """An account exists and may trade."""

    account_id: AccountId = field("The account.")


@record(table="account_status_changes", key="sequence", role=Role.EVENT, type_code=121)
class AccountStatusChanged(Event):
    """An account's status is different from here on in the one order."""

    account_id: AccountId = field("The account.")
    account_status_code: AccountStatusCode = field("The status from now on.")
    operator_id: PersonId = field("Who asked.")


@dataclass(frozen=True, kw_only=True)
class TradingTerms:
    """How an account trades."""

    fee_group_id: FeeGroupId = field("Whose schedule of fees it has.")
    group_id: GroupId = field("Whom it does not trade with; zero for nobody.")
    self_trade_code: SelfTradeCode = field(
        "What becomes of its orders that meet the group's, unless they say."
    )


@record(table="set_trading_terms", key="sequence", role=Role.COMMAND, type_code=22)
class SetTradingTerms(TradingTerms, Command):
    """Ask for an account's group and fees."""

    account_id: AskedAccountId = field("The account.")


@record(table="trading_terms", key="sequence", role=Role.EVENT, type_code=122)
class TradingTermsSet(TradingTerms, Event):
    """How an account trades from now on."""

    account_id: AccountId = field("The account.")


@record(table="link_account", key="sequence", role=Role.COMMAND, type_code=96)
class LinkAccount(Command):
    """Say with whom an account counts as one customer, and whether it is the firm's affiliate."""

    account_id: AskedAccountId = field("The account.")
    household_id: HouseholdId = field("Its household or control group; zero for none.")
    is_affiliate: AskedFlag = field("Whether it is an affiliate's or a principal's.")
    operator_id: PersonId = field("Who found out.")


@record(table="account_links", key="sequence", role=Role.EVENT, type_code=206)
class AccountLinked(Event):
    """With whom an account counts as one from now on. Source: 17 CFR 240.15c3-3a, Notes E(4) and E(5)."""

    account_id: AccountId = field("The account.")
    household_id: HouseholdId = field("Its household or control group; zero for none.")
    is_affiliate: Flag = field("Whether it is an affiliate's or a principal's.")
    operator_id: PersonId = field("Who found out.")


@record(table="account_states", key="account_id", role=Role.STATE)
class AccountRow:
    """An account as the compiled pass sees it; row number is account_id. Row zero is unused."""

    account_id: AskedAccountId = field("Zero when not open.")
    client_id: ClientId = field("Who owns it.")
    account_class_code: AccountClassCode = field("Its treatment by customer protection.")
    account_status_code: AccountStatusCode = field("Whether it may act.")
    max_notional_minor: Minor = field("Largest order in money.")
    rate_count: Count = field("Most trading commands in one second.")
    rate_second_count: Count = field("The second that is being counted, since 1970.")
    rate_used_count: Count = field("Trading commands seen in that second.")
    fee_group_id: FeeGroupId = field("Whose schedule of fees it has.")
    group_id: GroupId = field("Whom it does not trade with; zero for nobody.")
    self_trade_code: SelfTradeCode = field("What becomes of its orders that meet the group's.")
