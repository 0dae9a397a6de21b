"""Writer, reader, guideline and official schema agree on every declared message."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from schemas.iso20022.catalogue import MESSAGES
from schemas.iso20022.guideline import guideline_xsd, validate
from schemas.iso20022.message import Message
from schemas.iso20022.reading import parse
from schemas.iso20022.writing import compose
from tests.support.messages import documents_of, fields_of
from tests.support.official import official_error

EVERY = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
UNHURRIED = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@EVERY
@UNHURRIED
@given(data=st.data())
def test_what_is_rendered_is_officially_valid_and_parses_back(message: Message, data: st.DataObject) -> None:
    fields = data.draw(fields_of(message))
    composed = compose(message, fields)
    assert official_error(message.identifier, composed.raw) is None
    assert composed.respelt == ()
    assert parse(message, composed.raw) == fields


@EVERY
@UNHURRIED
@given(data=st.data())
def test_what_the_guideline_accepts_is_officially_valid(message: Message, data: st.DataObject) -> None:
    raw = data.draw(documents_of(guideline_xsd(message)))
    validate(message, raw)
    assert official_error(message.identifier, raw) is None
