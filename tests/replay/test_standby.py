"""An engine and its hot standby as real processes: killed, paused, brought back, with live clients.

What was acknowledged is in the survivor's journal exactly once; both homes hold the same bytes and lead to
the same state. How long a takeover took is told, not asserted.
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import statistics
import sys
import time
from pathlib import Path

from engine.config import Home
from engine.gateway.protocol import encode_request
from engine.image import arrays_of, text_of
from engine.journal.reader import read_frames
from engine.journal.snapshot import load_snapshot, write_snapshot
from engine.journal.verify import verify_journal
from engine.local_socket import short_path
from engine.replay import recover
from engine.replication.fence import FolderFence
from schemas.market import PlaceOrder
from tests.support.standby_pair import Client, Pair, kill, order, until, write_one_more

ROUNDS = 3


def check_survivor(pair: Pair, at: int, clients: list[Client]) -> None:
    """Nothing acknowledged is lost, nothing is there twice, nothing comes from nowhere."""
    accepted = pair.accepted(at)
    for client in clients:
        assert client.acknowledged <= accepted.keys()
    assert accepted.keys() <= set[int]().union(*(c.sent for c in clients))
    assert set(accepted.values()) == {1}


def check_equal(pair: Pair) -> None:
    """Both homes: the same bytes, the same state when all is decided again."""
    reports = [verify_journal(h.journal) for h in pair.homes]
    assert not reports[0].problems and reports[0] == reports[1]
    assert pair.segments(0) == pair.segments(1)
    states = [recover(h, use_snapshot=i == 0).state for i, h in enumerate(pair.homes)]
    assert states[0] is not None and states[1] is not None
    assert states[0].hash() == states[1].hash()


def test_roles_swap_by_kill_9_and_nothing_is_lost_or_repeated(tmp_path: Path) -> None:
    with Pair(tmp_path) as pair:
        clients = [Client(pair.homes[0].socket, 1 + n * 1_000_000) for n in range(2)]
        reigning, waits = 0, list[float]()
        processes = {0: pair.engine(0), 1: pair.standby(1)}
        for client in clients:
            client.start()
        for _ in range(ROUNDS):
            pair.wait_in_step(reigning)
            time.sleep(0.3)
            kill(processes[reigning])
            killed_at = time.monotonic()
            until(lambda at=killed_at: clients[0].answered_at[-1] > at, pair.log(1 - reigning))
            waits.append(next(t for t in clients[0].answered_at if t > killed_at) - killed_at)
            processes[reigning] = pair.standby(reigning)  # whoever was killed comes back as the standby
            reigning = 1 - reigning
        pair.wait_in_step(reigning)
        for client in clients:
            client.stop()
        pair.wait_level()
        for process in processes.values():
            kill(process)
        check_survivor(pair, reigning, clients)
        check_equal(pair)
        assert len({r.holder for r in pair.reigns()}) == 2
        sys.stderr.write(f"takeovers: median {statistics.median(waits):.3f} s, longest {max(waits):.3f} s\n")


def test_a_paused_primary_acknowledges_nothing_and_its_last_frame_is_set_aside(tmp_path: Path) -> None:
    with Pair(tmp_path) as pair:
        engine = pair.engine(0)
        standby = pair.standby(1)
        pair.wait_in_step(0)
        client = Client(pair.homes[0].socket, 1)
        client.start()
        until(lambda: len(client.acknowledged) > 40, pair.log(0))
        with _connected(pair.homes[0]) as late:
            engine.send_signal(signal.SIGSTOP)
            paused_at = time.monotonic()
            late.sendall(encode_request([order(999_999)]))  # it will read this when it wakes
            until(lambda: client.answered_at[-1] > paused_at + 0.5, pair.log(1))
            time.sleep(max(0.0, paused_at + 3.0 - time.monotonic()))
            engine.send_signal(signal.SIGCONT)
            assert _heard(late) == b""
        assert engine.wait(60) == 2
        assert "the reign of term 2 is over" in pair.log(0)
        client.stop()
        assert 999_999 not in pair.accepted(1)

        index = write_one_more(pair.homes[0], term=2)
        refused = pair.start(0, "engine")  # it does not come back as if nothing had been
        assert refused.wait(60) == 2
        assert "start as standby" in pair.log(0)
        back = pair.standby(0)
        pair.wait_in_step(1)
        assert "is not the primary's; set aside" in pair.log(0)
        (aside,) = pair.homes[0].root.glob("aside-*")
        (*_, last) = read_frames(aside / "journal", index - 1, until_index=index)
        assert [
            int(n) for s in last.sections if s.record.cls is PlaceOrder for n in s.rows["client_order_id"]
        ] == [999_999]
        client = Client(pair.homes[1].socket, 500_000)
        client.start()
        until(lambda: len(client.acknowledged) > 40, pair.log(1))
        client.stop()
        pair.wait_level()
        kill(back)
        kill(standby)
        check_equal(pair)


def _connected(home: Home) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(30)
    with short_path(home.socket) as short:
        made.connect(short)
    return made


def _heard(connected: socket.socket) -> bytes:
    """What was said until the other side hung up."""
    try:
        return connected.recv(1 << 16)
    except ConnectionResetError:
        return b""


def test_a_standby_that_is_lost_or_differs_holds_nobody_up_and_never_reigns(tmp_path: Path) -> None:
    with Pair(tmp_path) as pair:
        engine = pair.engine(0)
        client = Client(pair.homes[0].socket, 1)
        client.start()
        until(lambda: len(client.acknowledged) > 400, pair.log(0))  # more than a segment before there is one
        standby = pair.standby(1)
        pair.wait_in_step(0)
        kill(standby)
        until(lambda: not pair.is_in_step(0), pair.log(0))
        _goes_on(pair, client)
        found = FolderFence(pair.fence).read()
        assert found is not None and not found.is_standby_in_step

        _alter_state(pair.homes[1])
        standby = pair.standby(1)
        assert standby.wait(60) == 3
        assert re.search(r"INVARIANT BROKEN: frame \d+: the state hash differs", pair.log(1))
        until(lambda: not pair.is_in_step(0), pair.log(0))
        _goes_on(pair, client)

        shutil.rmtree(pair.homes[1].root)  # as the runbook says: begin in an empty home
        standby = pair.standby(1)
        pair.wait_in_step(0)
        client.stop()
        pair.wait_level()
        engine.terminate()  # a planned stop hands over
        assert engine.wait(60) == 0
        until(lambda: pair.answers(1), pair.log(1))
        kill(standby)
        check_survivor(pair, 1, [client])
        check_equal(pair)


def _goes_on(pair: Pair, client: Client) -> None:
    before = len(client.acknowledged)
    until(lambda: len(client.acknowledged) > before + 40, pair.log(0))


def _alter_state(home: Home) -> None:
    """A snapshot that verifies, of a state that the journal does not lead to; no event shows it soon."""
    found = recover(home)
    state = found.state
    assert state is not None
    state.second_epoch_day += 1
    write_snapshot(
        home.snapshots, found.frame_count, found.chain_hash, state.hash(), arrays_of(state), text_of(state)
    )
    assert load_snapshot(home.snapshots) is not None
