"""Parameters of a case: what each key means, and what it is where it is not given."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from engine.risk.model.charges import ADD_ONS, ASSET_CLASSES, Rates
from engine.risk.model.reading import Reading
from engine.risk.model.requirement import KAPPA, Haircut, Thresholds, Tier


class Parameters(NamedTuple):
    """Parameters of the model, each as given or as documented."""

    kappa: Fraction
    is_retail: bool
    rates: Rates
    thresholds: Thresholds
    haircuts: dict[str, Haircut]
    own_tokens: frozenset[str]


def read_parameters(parameters: Reading, account: Reading, cash: dict[str, Reading]) -> Parameters:
    """Read them; what is not given has its default. A haircut may stand beside an amount of cash."""
    category = parameters.get("category", "client_category") or account.get("category", "client_category")
    is_retail = False
    if category is not None:
        if category.word() not in ("retail", "pro", "professional", "eligible_counterparty"):
            raise category.error(f"expected retail or professional, not {category.value!r}")
        is_retail = category.word() == "retail"
    retail = parameters.get("retail", "is_retail")
    if retail is not None:
        if category is not None and retail.flag() != is_retail:
            raise retail.error("contradicts the category")
        is_retail = retail.flag()
    kappa = parameters.get("kappa", "κ", "im_factor", "im_multiplier")
    factor = kappa.number() if kappa is not None else KAPPA
    if kappa is not None and factor < 1:
        raise kappa.error(
            f"expected at least 1, not {kappa.value}: initial margin is not below maintenance margin"
        )
    own = parameters.get("own_tokens", "wrong_way")
    tokens = frozenset(t.text().upper() for t in own.items()) if own is not None else frozenset[str]()
    for parameter in ("retail_caps", "caps", "mode"):
        parameters.get(parameter)
    return Parameters(
        kappa=factor,
        is_retail=is_retail,
        rates=_rates(parameters),
        thresholds=_thresholds(parameters),
        haircuts=_haircuts(parameters, cash),
        own_tokens=tokens,
    )


def _rates(parameters: Reading) -> Rates:
    rates = Rates()
    impact = parameters.get("lambda", "λ", "impact")
    if impact is not None:
        rates = rates._replace(impact=impact.at_least(0))
    name_rate = parameters.get("concentration_rate")
    if name_rate is not None:
        rates = rates._replace(concentration=name_rate.share())
    top_rate = parameters.get("concentration_largest_rate", "concentration_top_rate")
    if top_rate is not None:
        rates = rates._replace(concentration_largest=top_rate.share())
    count = parameters.get("concentration_largest_count", "concentration_count", "concentration_top_count")
    if count is not None:
        rates = rates._replace(largest_count=int(count.at_least(0)))
    basis = parameters.get("basis_rates", "basis_rate", "beta_u")
    if basis is not None and basis.is_object:
        by_class = dict(rates.basis)
        for name, value in basis.entries():
            if name.lower() not in ASSET_CLASSES:
                raise value.error(f"expected an asset class ({', '.join(ASSET_CLASSES)}), not {name!r}")
            by_class[name.lower()] = value.share()
        rates = rates._replace(basis=by_class)
    elif basis is not None:
        rates = rates._replace(basis=dict.fromkeys(ASSET_CLASSES, basis.share()))
    chosen = parameters.get("add_ons", "addons")
    if chosen is None:
        return rates
    if chosen.is_list:
        words = [item.text().upper() for item in chosen.items()]
        for item, word in zip(chosen.items(), words, strict=True):
            if word not in ADD_ONS:
                raise item.error(f"expected one of {', '.join(ADD_ONS)}, not {item.value!r}")
        return rates._replace(add_ons=frozenset(words))
    if isinstance(chosen.value, bool):
        return rates if chosen.value else rates._replace(add_ons=frozenset())
    if chosen.word() not in ("none", "all"):
        raise chosen.error(f'expected "none", "all" or a list of {", ".join(ADD_ONS)}, not {chosen.value!r}')
    return rates if chosen.word() == "all" else rates._replace(add_ons=frozenset())


def _thresholds(parameters: Reading) -> Thresholds:
    thresholds = Thresholds()
    given = parameters.get("thresholds", "states")
    for name, value in given.entries() if given is not None else ():
        if name not in Thresholds._fields:
            raise value.error(f"expected one of {', '.join(Thresholds._fields)}, not {name!r}")
        thresholds = thresholds._replace(**{name: value.at_least(0)})
    if given is not None and not thresholds.liquidate <= thresholds.cancel <= thresholds.warn:
        raise given.error("expected liquidate <= cancel <= warn")
    return thresholds


def _haircuts(parameters: Reading, cash: dict[str, Reading]) -> dict[str, Haircut]:
    given = parameters.get("haircuts", "haircut", "collateral_haircuts")
    rows = list(given.entries()) if given is not None else []
    found = {name.strip().upper(): _haircut(value) for name, value in rows}
    for currency, row in cash.items():
        value = row.get("haircut") if row.is_object else None
        if value is not None and found.setdefault(currency, _haircut(value)) != _haircut(value):
            raise value.error(f"parameters.haircuts says another of {currency}")
    return found


def _haircut(value: Reading) -> Haircut:
    """A share, or tiers, or an object of one of them and what is put on a debt."""
    if value.is_list:
        return Haircut(_tiers(value))
    if not value.is_object:
        return Haircut((Tier(None, value.share()),))
    debt = value.get("debt", "liability", "negative")
    on_debt = debt.at_least(0) if debt is not None else Fraction(0)
    asset, tiers = value.get("asset", "positive", "haircut", "share"), value.get("tiers")
    if asset is not None and tiers is not None:
        raise value.error("give one haircut or tiers, not both")
    if tiers is not None:
        return Haircut(_tiers(tiers), on_debt)
    return Haircut((Tier(None, asset.share()),) if asset is not None else (), on_debt)


def _tiers(value: Reading) -> tuple[Tier, ...]:
    found: list[Tier] = []
    for item in value.items():
        if item.is_list:
            if len(item.items()) != 2:
                raise item.error("expected [up to, share]")
            up_to, share = item.items()
            bound = None if up_to.value is None else up_to.at_least(0, is_above=True)
        else:
            end, share = item.get("up_to"), item.need("haircut", "share")
            bound = None if end is None else end.at_least(0, is_above=True)
        last = found[-1].up_to if found else Fraction(0)
        if last is None or (bound is not None and bound <= last):
            raise item.error("tiers go up, and nothing stands behind the one without an end")
        found.append(Tier(bound, share.share()))
    if not found:
        raise value.error("expected at least one tier")
    if found[-1].up_to is not None:  # what is beyond the last tier counts like it
        found.append(Tier(None, found[-1].share))
    return tuple(found)
