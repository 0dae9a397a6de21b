"""Every message of the firm by its identifier."""

from __future__ import annotations

from schemas.iso20022.camt_053 import CAMT_053
from schemas.iso20022.camt_054 import CAMT_054
from schemas.iso20022.message import Message
from schemas.iso20022.pacs_009 import PACS_009
from schemas.iso20022.pain_001 import PAIN_001
from schemas.iso20022.semt_002 import SEMT_002
from schemas.iso20022.sese_023 import SESE_023
from schemas.iso20022.sese_024 import SESE_024
from schemas.iso20022.sese_025 import SESE_025

MESSAGES: dict[str, Message] = {
    m.identifier: m for m in (SESE_023, PAIN_001, PACS_009, CAMT_053, CAMT_054, SESE_024, SESE_025, SEMT_002)
}
