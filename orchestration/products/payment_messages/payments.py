"""Payments as messages: a withdrawal as pain.001, a reserve movement as pacs.009. Pure field mapping.

Does not own: the messages' forms (`schemas.iso20022`), or who a client is (the vault).
"""

from __future__ import annotations

from engine.gateway.vault import Person
from engine.reserve.deadline import deposit_date
from orchestration.lake.tables import DAY_NS
from orchestration.products.messages import Outgoing, message_reference
from schemas.codes import ReserveFormula
from schemas.days import date_of, epoch_day_of
from schemas.iso20022 import parties
from schemas.iso20022.codecs import Money
from schemas.iso20022.pacs_009 import PACS_009
from schemas.iso20022.pain_001 import PAIN_001
from schemas.payments import WithdrawalApproved
from schemas.reserve import ReserveDepositOrdered


def withdrawal(event: WithdrawalApproved, currency: str, person: Person) -> Outgoing:
    """The order to our bank to pay a withdrawal to the beneficiary on file."""
    subject = f"WD{event.payment_id}"
    fields = {
        "message_reference": message_reference(PAIN_001, subject),
        "created_at_ns": event.occurred_at_ns,
        "firm_name": parties.FIRM.name,
        "firm_lei": parties.FIRM.lei,
        "firm_town": parties.FIRM.town,
        "firm_country": parties.FIRM.country,
        "firm_account": parties.nostro_account(currency),
        "bank_bic": parties.NOSTRO_BANK.bic,
        "instruction_reference": subject,
        "execution_epoch_day": event.occurred_at_ns // DAY_NS,
        "payment_reference": subject,
        "end_to_end_reference": subject,
        "amount": Money(currency, event.amount_units),
        "beneficiary_bank_bic": person.bank_bic,
        "beneficiary_name": person.name,
        "beneficiary_street": f"{person.street} {person.building}",
        "beneficiary_post_code": person.postcode,
        "beneficiary_town": person.town,
        "beneficiary_country": person.country,
        "beneficiary_iban": person.iban,
    }
    return Outgoing(PAIN_001, subject, fields)


def reserve_movement(event: ReserveDepositOrdered, currency: str) -> Outgoing:
    """The transfer between nostro and reserve account that an order asks for."""
    subject = f"RD{event.payment_id}"
    as_of = date_of(event.as_of_epoch_day)
    nostro = (parties.nostro_account(currency), parties.NOSTRO_BANK.bic)
    is_pab = event.reserve_formula_code == ReserveFormula.PAB
    number = (parties.pab_reserve_account if is_pab else parties.reserve_account)(currency, event.bank_id)
    reserve = (number, parties.RESERVE_BANKS[event.bank_id].bic)
    whose = "brokers and dealers" if is_pab else "customers"
    debtor, creditor = (nostro, reserve) if event.deposit_minor else (reserve, nostro)
    fields = {
        "message_reference": message_reference(PACS_009, subject),
        "created_at_ns": event.occurred_at_ns,
        "debtor_account": debtor[0],
        "debtor_bank_bic": debtor[1],
        "creditor_account": creditor[0],
        "creditor_bank_bic": creditor[1],
        "payment_reference": subject,
        "end_to_end_reference": subject,
        "amount": Money(currency, event.deposit_minor or event.withdrawal_minor),
        "settlement_epoch_day": epoch_day_of(deposit_date(as_of)),
        "firm_bic": parties.FIRM.bic,
        "firm_lei": parties.FIRM.lei,
        "remittance": f"Reserve for the exclusive benefit of {whose} as of {as_of}",
    }
    return Outgoing(PACS_009, subject, fields)
