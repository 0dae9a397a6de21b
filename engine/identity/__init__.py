"""Identity: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.identity.accounts import (
    apply_account_linked,
    apply_account_opened,
    apply_account_status_changed,
    apply_trading_terms_set,
    change_account_status,
    link_account,
    open_account,
    set_trading_terms,
)
from schemas.headers import Command, Event
from schemas.identity import (
    AccountLinked,
    AccountOpened,
    AccountStatusChanged,
    ChangeAccountStatus,
    LinkAccount,
    OpenAccount,
    SetTradingTerms,
    TradingTermsSet,
)

HANDLERS: dict[type[Command], Handler] = {
    OpenAccount: open_account,
    ChangeAccountStatus: change_account_status,
    SetTradingTerms: set_trading_terms,
    LinkAccount: link_account,
}

APPLIERS: dict[type[Event], Applier] = {
    AccountOpened: apply_account_opened,
    AccountStatusChanged: apply_account_status_changed,
    AccountLinked: apply_account_linked,
    TradingTermsSet: apply_trading_terms_set,
}
