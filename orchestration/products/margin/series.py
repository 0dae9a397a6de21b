"""What the model said of each reported portfolio, and what the next business day did to it.

Owns: observations from the lake, and what they come to. Does not own: the test (kupiec.py), the paper
(backtest.py). Instruments without a model are left out on both sides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.config import Home
from orchestration.products.margin import kupiec
from orchestration.products.margin.book import Book, Tables
from orchestration.products.margin.model import MILLICENTS, MarginRules, Position, divided_up, tail_mean
from orchestration.products.margin.record import Report, reports
from schemas.codes import ScenarioGroup
from schemas.market import BusinessDayStarted

WINDOW_DAYS = 250
LEAST_SCENARIOS = 100  # with fewer, no order statistic is exceeded once in a hundred
TOGETHER = 0  # all accounts as one portfolio; no account has this number


class Forecast(NamedTuple):
    """What the model said of a portfolio, in millicents."""

    value_at_risk: int  # exceeded once in a hundred days
    shortfall: int  # mean of the worst historical losses, the model's own tail
    at_risk: int  # scenario risk: what margin asks


class Observation(NamedTuple):
    """One portfolio over one business day."""

    account_id: int
    business_epoch_day: int
    forecast: Forecast
    gain_minor: int

    @property
    def loss(self) -> int:
        """What was lost, in millicents; negative is a gain."""
        return -self.gain_minor * MILLICENTS

    @property
    def is_exception(self) -> bool:
        """Whether more was lost than the model says is lost once in a hundred days."""
        return self.loss > self.forecast.value_at_risk


class Outcome(NamedTuple):
    """What the observations of an account come to."""

    account_id: int
    observations: int
    exceptions: int
    breaches: int  # losses beyond the scenario risk that margin asked
    predicted_minor: int  # mean shortfall that the model said, of the days with an exception
    realised_minor: int  # mean loss on them
    verdict: kupiec.Verdict

    @property
    def p_value(self) -> float | None:
        """Of Kupiec's test; none where there are too few observations for a verdict."""
        if self.verdict is kupiec.Verdict.TOO_FEW:
            return None
        return kupiec.p_value(kupiec.likelihood_ratio(self.exceptions, self.observations))


class Series(NamedTuple):
    """The observations of a window, and why there are no more."""

    observations: tuple[Observation, ...]
    last_report_day: int  # zero: nothing was ever reported
    unreported_days: int  # in the window: business days between the first report and the last
    unmodelled_days: int  # in the window: without enough historical scenarios in force


def observe(home: Home) -> Series:
    """Every account's reported portfolio against the marks of the next business day's report.

    The newest WINDOW_DAYS business days count. A day of which either end was not reported is no observation.
    """
    told = {r.business_epoch_day: r for r in reports(home)}
    if not told:
        return Series((), 0, 0, 0)
    tables = Tables(home)
    started = tables.rows(BusinessDayStarted)["business_epoch_day"].unique().sort().to_list()
    days = [d for d in started if min(told) <= d <= max(told)][-WINDOW_DAYS - 1 :]
    found: list[Observation] = []
    unmodelled = 0
    for day, following in pairwise(days):
        if day not in told or following not in told:
            continue
        made = _of_day(tables, told[day], told[following])
        unmodelled += made is None
        found += made or ()
    return Series(tuple(found), max(told), sum(d not in told for d in days), unmodelled)


def _of_day(tables: Tables, report: Report, following: Report) -> list[Observation] | None:
    """The observations of one day; none when the scenarios in force cannot tell one day in a hundred."""
    book, later = Book(tables, report.first_sequence), Book(tables, following.first_sequence)
    if book.scenarios.groups.count(ScenarioGroup.HISTORICAL) < LEAST_SCENARIOS:
        return None
    portfolios: defaultdict[int, dict[int, Position]] = defaultdict(dict)
    for row in report.positions.to_dicts():
        instrument_id, lots = row["instrument_id"], row["held_lots"]
        if lots and book.instruments[instrument_id].is_modelled:
            portfolios[row["account_id"]][instrument_id] = Position(lots)
    if portfolios:
        portfolios[TOGETHER] = _sum(portfolios.values())
    gain_of_lot = {i: later.instruments[i].lot_minor - x.lot_minor for i, x in book.instruments.items()}
    return [
        Observation(
            account_id,
            report.business_epoch_day,
            forecast(book.rules, positions),
            sum(p.held_lots * gain_of_lot[i] for i, p in positions.items()),
        )
        for account_id, positions in sorted(portfolios.items())
    ]


def forecast(rules: MarginRules, positions: dict[int, Position]) -> Forecast:
    """What a model says of positions."""
    groups = rules.scenarios.groups
    outcomes = rules.outcomes(positions)
    losses = [-x for x, g in zip(outcomes, groups, strict=True) if g is ScenarioGroup.HISTORICAL]
    return Forecast(
        value_at_risk(losses),
        tail_mean(losses, rules.scenarios.tails[ScenarioGroup.HISTORICAL]),
        rules.scenario_risk(positions) * MILLICENTS,
    )


def value_at_risk(losses: Sequence[int]) -> int:
    """The loss that one in a hundred reaches: of n the n/100-th largest, rounded up."""
    return sorted(losses, reverse=True)[divided_up(len(losses), 100) - 1]


def outcomes(observations: Iterable[Observation]) -> list[Outcome]:
    """What each account's observations come to, all accounts as one portfolio first."""
    by_account: defaultdict[int, list[Observation]] = defaultdict(list)
    for observation in observations:
        by_account[observation.account_id].append(observation)
    return [outcome(account_id, seen) for account_id, seen in sorted(by_account.items())]


def outcome(account_id: int, seen: Sequence[Observation]) -> Outcome:
    """What the observations of one account come to."""
    beyond = [o for o in seen if o.is_exception]
    most = MILLICENTS * max(len(beyond), 1)
    return Outcome(
        account_id,
        len(seen),
        len(beyond),
        sum(o.loss > o.forecast.at_risk for o in seen),
        divided_up(sum(o.forecast.shortfall for o in beyond), most),
        divided_up(sum(o.loss for o in beyond), most),
        kupiec.verdict(len(beyond), len(seen)),
    )


def _sum(portfolios: Iterable[dict[int, Position]]) -> dict[int, Position]:
    total: defaultdict[int, int] = defaultdict(int)
    for positions in portfolios:
        for i, p in positions.items():
            total[i] += p.held_lots
    return {i: Position(lots) for i, lots in total.items() if lots}
