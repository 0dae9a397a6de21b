"""One business day of the simulated world, hour by hour, with a short session on the day before.

Owns: what happens when. Does not own: any of what happens; each actor has a file of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial

from engine.clock import FakeClock
from engine.config import Home
from engine.gateway.vault import Vault
from engine.simulation import opening
from engine.simulation.bank import NOSTRO_USD, Bank, Family
from engine.simulation.breach import Breach
from engine.simulation.business_days import MINUTE_NS, new_york_ns, preceding, require_business_day
from engine.simulation.clearing_house import ClearingHouse
from engine.simulation.clients import Client
from engine.simulation.custodian import Custodian
from engine.simulation.faults import Break, Fault, Faults
from engine.simulation.financing import LENT, Financing
from engine.simulation.floor import Engine, Floor, Progress
from engine.simulation.funding import Deposit, Funding, Withdrawal
from engine.simulation.interruptions import phase
from engine.simulation.letters import Letter
from engine.simulation.market_makers import MarketMaker
from engine.simulation.mids import Mids
from engine.simulation.mishaps import Mishaps, cancel_account
from engine.simulation.people import fill_vault
from engine.simulation.rails import told_by
from engine.simulation.reserve_desk import ReserveDesk
from engine.simulation.session import Crowd, Happening, marks, play_session
from engine.simulation.world import (
    EQUITIES,
    LISTINGS,
    MAKER_ACCOUNTS,
    USD,
    Holder,
    make_world,
    report_margins,
    start_day,
)
from schemas.codes import AccountClass, AccountStatus, InstrumentState
from schemas.days import epoch_day_of
from schemas.headers import Command
from schemas.identity import ChangeAccountStatus
from schemas.payments import WithdrawalApproved
from schemas.settlement import RunSettlementCycle

DEFAULT_DAY = date(2026, 10, 6)
DAY_COMMANDS = 30_000
EVE_COMMANDS = 3_000
SUPERVISOR = 121
SUSPENDED_ACCOUNT = 7
RESTRICTED_ACCOUNT = 12
LOST_MAKER = MAKER_ACCOUNTS[-1]  # whose line goes down
AFFECTED_COUNT = 5
DEPOSIT_COUNT = 12
EVE_WITHDRAWAL_COUNT = 2
DAY_WITHDRAWAL_COUNT = 3
DRAFT_COUNT = 2


@dataclass(frozen=True)
class DayPlayed:
    """What a played day came to."""

    business_date: date
    frame_count: int
    command_count: int
    order_count: int
    fill_count: int
    event_count: int
    auction_count: int
    ended: dict[str, int]  # orders that were cut or ended unfilled, by reason
    refused: dict[str, int]  # by reason
    faults: dict[str, int]  # by class
    last_marks: dict[str, int]  # ticks by symbol


def play_day(
    pipeline: Engine,
    home: Home,
    clock: FakeClock,
    *,
    seed: int,
    business_date: date = DEFAULT_DAY,
    scale: float = 1.0,
    progress: Progress = lambda line: None,
) -> DayPlayed:
    """Play a business day up to the statements after its close, beginning with an empty journal.

    The same seed gives the same commands in the same batches. `scale` multiplies the number of
    trading commands. Raises BadInput when the date is no business day, or when so little is traded
    that not every class of fault finds its place.
    """
    require_business_day(business_date)
    world_day = _Day(pipeline, home, clock, seed, business_date, scale, progress)
    world_day.play_eve()
    world_day.play()
    return world_day.played()


class _Day:
    """The cast of one day and its script."""

    def __init__(
        self,
        engine: Engine,
        home: Home,
        clock: FakeClock,
        seed: int,
        day: date,
        scale: float,
        progress: Progress,
    ) -> None:
        self.home, self.seed, self.day, self.eve, self.scale = (
            home,
            seed,
            day,
            preceding(day),
            scale,
        )
        self.rng = random.Random(f"{seed}:day")
        self.world = make_world(seed)
        self.floor = Floor(engine, clock, home.inbox, progress)
        self.bank, self.custodian, self.faults = Bank(), Custodian(), Faults(seed)
        self.clearing = ClearingHouse(seed, self.bank, self.custodian, self.faults)
        self.funding = Funding(seed, self.bank, self.custodian, self.floor.watch)
        self.financing = Financing(seed, self.floor, self.bank, self.custodian, self.funding)
        self.reserve_desk = ReserveDesk(self.floor, self.bank, self.funding)
        self.loan_id = 0
        self.mids = Mids(seed)
        watch = self.floor.watch
        self.crowd = Crowd(
            tuple(MarketMaker(a, seed, watch, self.mids) for a in MAKER_ACCOUNTS),
            tuple(Client(h, seed, watch, self.mids) for h in self.world.traders()),
            self.mids,
        )
        spared = (SUSPENDED_ACCOUNT, RESTRICTED_ACCOUNT, opening.UNFUNDED_ACCOUNT)
        self.mishaps = Mishaps(self.floor, self.crowd.clients, spared)
        affected = sorted(self.rng.sample(self._customer_ids(), AFFECTED_COUNT))
        self.approved: list[Withdrawal] = []  # of the eve: the bank is instructed that night, pays on the day
        documents = home.root / "documents"
        self.breach = Breach(documents, tuple(affected), new_york_ns(day, 6, 30))

    # The day before -------------------------------------------------------------------------------

    def play_eve(self) -> None:
        """Set up, fund, trade for an hour, settle what is due the same day, close the bank's day."""
        day, floor = self.eve, self.floor
        fill_vault(Vault.open(self.home), self.world.client_ids(), self.seed)
        self.bank.start_day(day)
        opening.set_up(floor, self.world, day, new_york_ns(day, 6))
        opening.bring_capital(floor, self.bank, new_york_ns(day, 7))
        opening.fund_clients(floor, self.world, self.funding, new_york_ns(day, 7, 10))
        self.loan_id = opening.borrow(floor, self.bank, self.custodian, new_york_ns(day, 7, 20))
        self.reserve_desk.record_facts(day, new_york_ns(day, 7, 25))
        self.reserve_desk.fill_reserves(day, new_york_ns(day, 7, 30))
        self.financing.link_accounts(self.world, new_york_ns(day, 7, 40))
        self.financing.open(self.world, day, new_york_ns(day, 7, 45))
        instructed_ns = new_york_ns(day, 7, 50)
        self.reserve_desk.instruct(opening.PLEDGED.asset_id, LENT.asset_id, instructed_ns)
        self.financing.draw(self._payees(), new_york_ns(day, 13, 50))
        self._ask_for_money(self._plan_withdrawals(EVE_WITHDRAWAL_COUNT), new_york_ns(day, 14))
        floor.progress(f"{day}: engine set up, clients funded")
        happenings = self._mark_times(new_york_ns(day, 15), new_york_ns(day, 16))
        play_session(
            floor,
            self.crowd,
            self.rng,
            new_york_ns(day, 15),
            new_york_ns(day, 16),
            round(EVE_COMMANDS * self.scale),
            happenings,
        )
        self._close(day)

    # The day --------------------------------------------------------------------------------------

    def play(self) -> None:
        """Morning, session, close; then the labels of what went wrong."""
        day, floor = self.day, self.floor
        self.bank.start_day(day)
        floor.submit([start_day(day, new_york_ns(day, 6))])
        self.crowd.start_day()
        to_pay, self.approved = self.approved, []
        deposits, withdrawals = self._plan_deposits(), self._plan_withdrawals(DAY_WITHDRAWAL_COUNT)
        self.faults.choose(self.clearing.due(day), [d.reference for d in deposits], self.bank, self.custodian)
        self.clearing.plan(day)
        happenings = self._script(deposits, withdrawals, to_pay)
        opens_at_ns, closes_at_ns = new_york_ns(day, 9, 30), new_york_ns(day, 16)
        for happening in [h for h in happenings if h.at_ns < opens_at_ns]:
            happening.act(happening.at_ns)
        floor.progress(f"{day}: morning over, market opens")
        play_session(
            floor,
            self.crowd,
            self.rng,
            opens_at_ns,
            closes_at_ns,
            round(DAY_COMMANDS * self.scale),
            [h for h in happenings if h.at_ns >= opens_at_ns],
        )
        self._close(day)
        floor.receive(self.custodian.statement(day))
        self.faults.write(self.home.simulation / "labels.json")
        floor.progress(f"{day}: closed, statements sent")

    def _script(
        self, deposits: list[Deposit], withdrawals: list[Withdrawal], to_pay: list[Withdrawal]
    ) -> list[Happening]:
        """Everything of the day but trading, in order of time."""
        day, breach = self.day, self.breach

        def at(hour: int, minute: int = 0) -> int:
            return new_york_ns(day, hour, minute)

        script = [
            Happening(at(6, 30), partial(self._step, breach.report)),
            Happening(at(7), self._set_statuses),
            Happening(at(7, 30), partial(self._deposit, deposits[: DEPOSIT_COUNT // 2])),
            Happening(at(8), partial(self._settle_wave, 0)),
            Happening(at(8, 15), partial(self._ask_for_money, withdrawals)),
            Happening(at(8, 20), self._reduce_financing),
            Happening(at(8, 30), self._advise),
            Happening(at(9), partial(self._step, breach.contain)),
            Happening(at(10, 15), self._charge_fee),
            Happening(at(10, 40), self.mishaps.fat_finger),
            Happening(at(10, 42), self.mishaps.regret),
            Happening(at(11), partial(self._settle_wave, 1)),
            Happening(at(11, 20), partial(self._step, breach.determine)),
            Happening(at(11, 30), self._confirm_unknown),
            Happening(at(11, 45), partial(self._halt, InstrumentState.HALTED)),
            Happening(at(12), self._advise),
            Happening(at(12, 5), partial(self._halt, InstrumentState.PRE_OPEN)),
            Happening(at(12, 15), partial(self._halt, InstrumentState.OPEN)),
            Happening(at(12, 30), partial(self._deposit, deposits[DEPOSIT_COUNT // 2 :])),
            Happening(at(12, 45), self._suspend),
            Happening(at(13), partial(self._pay_out, to_pay)),
            Happening(at(13, 15), partial(self.mishaps.lose_session, LOST_MAKER)),
            Happening(at(13, 30), self._book_unknown_receipt),
            Happening(at(14), partial(self._step, breach.notify)),
            Happening(at(14, 10), self._explain),
            Happening(at(14, 20), self.mishaps.crash),
            Happening(at(14, 25), self.mishaps.give_up),
            Happening(at(15), partial(self._settle_wave, 2)),
            Happening(at(15, 30), self._advise),
            Happening(at(15, 40), self.mishaps.drill),
            *self._mark_times(at(9, 45), at(16)),
        ]
        return sorted(script, key=lambda h: h.at_ns)

    def _plan_deposits(self) -> list[Deposit]:
        customers = [h for h in self.world.customers() if h.account_id != opening.UNFUNDED_ACCOUNT]
        bringing = self.rng.sample(customers, DEPOSIT_COUNT)
        return [self.funding.plan_deposit(h, USD, self.rng.randint(500, 20_000) * 1_000) for h in bringing]

    def _plan_withdrawals(self, count: int) -> list[Withdrawal]:
        unable = (opening.UNFUNDED_ACCOUNT, SUSPENDED_ACCOUNT, RESTRICTED_ACCOUNT)
        usable = [h for h in self.world.customers() if h.account_id not in unable]
        taking = self.rng.sample(usable, count)
        return [self.funding.plan_withdrawal(h, USD, self.rng.randint(500, 3_000) * 1_000) for h in taking]

    # What happens ---------------------------------------------------------------------------------

    def _submit(self, commands: Iterable[Command]) -> None:
        self.floor.submit(list(commands))

    def _step(self, step: Callable[[int], list[Command]], at_ns: int) -> None:
        """Each command of the step in a frame of its own."""
        for command in step(at_ns):
            self.floor.submit([command])

    def _set_marks(self, at_ns: int) -> None:
        self._submit(marks(self.mids, at_ns))

    def _advise(self, at_ns: int) -> None:
        for letter in self.bank.advise(at_ns):
            self.floor.receive(letter)

    def _deposit(self, planned: list[Deposit], at_ns: int) -> None:
        self._submit(self.funding.deposit(p, at_ns) for p in planned)

    def _ask_for_money(self, planned: list[Withdrawal], at_ns: int) -> None:
        frame = self.floor.submit([self.funding.request(p, at_ns) for p in planned])
        for section in frame.sections if frame else ():
            if section.record.cls is WithdrawalApproved:
                approved = section.rows["payment_id"].tolist()
                self.approved += [p for p in planned if p.payment_id in approved]

    def _pay_out(self, to_pay: list[Withdrawal], at_ns: int) -> None:
        """The bank pays what it was instructed to; what was asked for today is instructed tonight."""
        self._submit(self.funding.pay_out(p, at_ns) for p in to_pay)

    def _reduce_financing(self, at_ns: int) -> None:
        self.financing.reduce(self.loan_id, opening.PLEDGED.asset_id, at_ns)
        self.reserve_desk.complete(at_ns)

    def _explain(self, at_ns: int) -> None:
        """What was unclaimed is a customer's; drafts of the eve are paid, others go out."""
        self.financing.explain(self._payees()[0].account_id, at_ns)
        self.financing.draw(self._payees(), at_ns)

    def _payees(self) -> list[Holder]:
        """Customers with a cash account that nobody restricts."""
        unable = (opening.UNFUNDED_ACCOUNT, SUSPENDED_ACCOUNT, RESTRICTED_ACCOUNT)
        able = [h for h in self.world.customers() if h.account_id not in unable]
        return [h for h in able if h.account_class is AccountClass.CUSTOMER_CASH][:DRAFT_COUNT]

    def _settle_wave(self, wave: int, at_ns: int) -> None:
        self._take_letters(self.clearing.settle_wave(wave, self.day, at_ns), at_ns)

    def _confirm_unknown(self, at_ns: int) -> None:
        self._take_letters([self.clearing.confirm_unknown(self.day, at_ns)], at_ns)

    def _take_letters(self, letters: list[Letter], at_ns: int) -> None:
        """The engine is told what the messages say, no more and no less."""
        for letter in letters:
            self.floor.receive(letter)
        self._submit(c for letter in letters for c in told_by(letter, at_ns))

    def _charge_fee(self, at_ns: int) -> None:
        fee_minor = self.faults.bank_fee_minor()
        entry = self.bank.pay(NOSTRO_USD, -fee_minor, "", Family.CHARGE, at_ns, "Account maintenance")
        self.faults.note(Fault.BANK_FEE, Break("cash", "BANK_FEE", entry))

    def _book_unknown_receipt(self, at_ns: int) -> None:
        amount = self.faults.receipt_minor()
        entry = self.bank.pay(NOSTRO_USD, amount, "", Family.RECEIPT, at_ns, "Payment without reference")
        self.faults.note(Fault.UNIDENTIFIED_RECEIPT, Break("cash", "UNIDENTIFIED_RECEIPT", entry))

    def _set_statuses(self, at_ns: int) -> None:
        self._submit(
            [
                _status(RESTRICTED_ACCOUNT, AccountStatus.RESTRICTED, at_ns),
                _status(opening.UNFUNDED_ACCOUNT, AccountStatus.CLOSED, at_ns),
            ]
        )

    def _suspend(self, at_ns: int) -> None:
        """Suspend an account and take its orders off the books."""
        self._submit(
            [
                _status(SUSPENDED_ACCOUNT, AccountStatus.SUSPENDED, at_ns),
                cancel_account(at_ns, SUSPENDED_ACCOUNT),
            ]
        )

    def _halt(self, state: InstrumentState, at_ns: int) -> None:
        self._submit([phase(EQUITIES[4].instrument_id, state, at_ns)])

    def _mark_times(self, first_ns: int, last_ns: int) -> list[Happening]:
        return [Happening(at_ns, self._set_marks) for at_ns in range(first_ns, last_ns, 15 * MINUTE_NS)]

    def _close(self, day: date) -> None:
        """Closing marks, the settlement cycle, what is due today, margins, the bank's statements."""
        self._submit(marks(self.mids, new_york_ns(day, 16, 15)))
        cycle = RunSettlementCycle(
            sequence=0, received_at_ns=new_york_ns(day, 16, 30), trade_epoch_day=epoch_day_of(day)
        )
        self.floor.submit([cycle])
        self.clearing.accept(self.floor.obligations)
        self.floor.obligations.clear()
        at_ns = new_york_ns(day, 16, 45)
        self._take_letters(self.clearing.settle_all(day, at_ns), at_ns)
        self._submit([report_margins(day, new_york_ns(day, 17))])
        for letter in self.bank.close_day(new_york_ns(day, 17, 30)):
            self.floor.receive(letter)
        self.floor.clock.set(new_york_ns(day, 17, 45))

    # Afterwards -----------------------------------------------------------------------------------

    def _customer_ids(self) -> list[int]:
        return sorted({h.client_id for h in self.world.customers()})

    def played(self) -> DayPlayed:
        """The counts of everything that was played."""
        tally = self.floor.tally
        faults: dict[str, int] = {}
        for label in self.faults.labels:
            faults[label.fault.value] = faults.get(label.fault.value, 0) + 1
        return DayPlayed(
            business_date=self.day,
            frame_count=tally.frame_count,
            command_count=tally.command_count,
            order_count=tally.order_count,
            fill_count=self.floor.watch.fill_count,
            event_count=tally.event_count,
            auction_count=tally.auction_count,
            ended=dict(sorted(tally.ended.items())),
            refused=dict(sorted(tally.refused.items())),
            faults=dict(sorted(faults.items())),
            last_marks={x.symbol: self.mids.ticks(x.instrument_id) for x in LISTINGS},
        )


def _status(account_id: int, status: AccountStatus, at_ns: int) -> Command:
    return ChangeAccountStatus(
        sequence=0,
        received_at_ns=at_ns,
        account_id=account_id,
        account_status_code=status,
        operator_id=SUPERVISOR,
    )
