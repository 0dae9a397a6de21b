"""The reserve formula of the book, customers' and PAB: one row a formula, what stands behind it as lists.

Source: 17 CFR 240.15c3-3(e) and 240.15c3-3a. The formula is `engine.reserve`; docs/reserve.md.
"""

from engine.reserve.book_case import Book
from engine.reserve.book_figures import book_figures, no_figures
from engine.reserve.computation import Terms
from engine.reserve.terms import Frequency, Method


def model(dbt, session):  # noqa: D103
    days = dbt.ref("int_as_of").pl()
    book = Book(
        accounts=dbt.ref("int_reserve_accounts").pl(),
        claims=dbt.ref("int_reserve_claims").pl(),
        locations=dbt.ref("int_reserve_locations").pl(),
        prices=dbt.ref("int_reserve_prices").pl(),
        totals=dbt.ref("int_reserve_totals").pl(),
        deposits=dbt.ref("int_reserve_deposits").pl(),
        breaks=dbt.ref("int_reserve_breaks").pl(),
        firm=dbt.ref("int_reserve_firm").pl(),
        focus_totals=dbt.ref("int_focus_totals").pl(),
    )
    if days.is_empty():
        return no_figures().to_arrow()
    method, frequency = dbt.config.get("reserve_method"), dbt.config.get("reserve_frequency")
    terms = Terms(days["as_of_date"][0], Method(method), Frequency(frequency))
    return book_figures(book, terms).to_arrow()
