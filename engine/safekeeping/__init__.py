"""Safekeeping: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.safekeeping.counts import (
    apply_count_difference_found,
    apply_count_difference_resolved,
    record_count_difference,
    resolve_count_difference,
)
from engine.safekeeping.distributions import (
    apply_distribution_credited,
    apply_distribution_declared,
    apply_distribution_received,
    declare_distribution,
    receive_distribution,
)
from engine.safekeeping.suspense import (
    apply_suspense_cleared,
    apply_suspense_opened,
    clear_suspense,
    open_suspense,
)
from engine.safekeeping.transfers import (
    acknowledge_transfer,
    apply_transfer_acknowledged,
    apply_transfer_completed,
    apply_transfer_sent,
    complete_transfer,
    send_to_transfer,
)
from schemas.headers import Command, Event
from schemas.safekeeping import (
    AcknowledgeTransfer,
    ClearSuspense,
    CompleteTransfer,
    CountDifferenceFound,
    CountDifferenceResolved,
    DeclareDistribution,
    DistributionCredited,
    DistributionDeclared,
    DistributionReceived,
    OpenSuspense,
    ReceiveDistribution,
    RecordCountDifference,
    ResolveCountDifference,
    SendToTransfer,
    SuspenseCleared,
    SuspenseOpened,
    TransferAcknowledged,
    TransferCompleted,
    TransferSent,
)

HANDLERS: dict[type[Command], Handler] = {
    SendToTransfer: send_to_transfer,
    AcknowledgeTransfer: acknowledge_transfer,
    CompleteTransfer: complete_transfer,
    OpenSuspense: open_suspense,
    ClearSuspense: clear_suspense,
    RecordCountDifference: record_count_difference,
    ResolveCountDifference: resolve_count_difference,
    DeclareDistribution: declare_distribution,
    ReceiveDistribution: receive_distribution,
}

APPLIERS: dict[type[Event], Applier] = {
    TransferSent: apply_transfer_sent,
    TransferAcknowledged: apply_transfer_acknowledged,
    TransferCompleted: apply_transfer_completed,
    SuspenseOpened: apply_suspense_opened,
    SuspenseCleared: apply_suspense_cleared,
    CountDifferenceFound: apply_count_difference_found,
    CountDifferenceResolved: apply_count_difference_resolved,
    DistributionDeclared: apply_distribution_declared,
    DistributionCredited: apply_distribution_credited,
    DistributionReceived: apply_distribution_received,
}
