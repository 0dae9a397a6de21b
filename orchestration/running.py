"""A running book: engine, lake writer, live views, Dagster web server and daemon, as one."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path

from engine.clock import WallClock
from engine.config import Home
from engine.errors import BadInput, EngineUnreachable
from engine.gateway.client import SocketClient
from engine.journal.mark import read_mark
from engine.projections.lake import watermark
from engine.projections.reserve_view import reserve_path
from engine.projections.views import view_path
from engine.replication.standing import told_text
from orchestration.settings import REPOSITORY
from orchestration.supervisor import Program, Supervisor

Tell = Callable[[str], None]
HOST = "127.0.0.1"  # Dagster has no accounts of its own: it is never served to another machine


def engine_programs(home: Home, fence: Path | None = None) -> list[Program]:
    """The engine, mirrored to a standby where there is a fence, and what follows its journal."""
    told = ["--home", str(home.root)]
    fenced = [] if fence is None else ["--fence", str(fence)]
    view, reserve = view_path(home), reserve_path(home)
    for path in (view, reserve):
        path.unlink(missing_ok=True)
    return [
        Program("engine", [*_onebook("serve", "engine"), *told, *fenced], lambda: _answers(home.socket)),
        Program("lake", [*_onebook("serve", "lake"), *told], lambda: _is_lake_level(home)),
        Program("view", [*_onebook("serve", "view"), *told], view.exists),
        Program("reserve", [*_onebook("serve", "reserve"), *told], reserve.exists),
    ]


def dagster_programs(home: Home, port: int) -> list[Program]:
    """The web server and the daemon that runs sensors and schedules."""
    binary = Path(sys.executable).parent
    workspace = ["-w", str(REPOSITORY / "workspace.yaml")]
    return [
        Program(
            "webserver",
            [str(binary / "dagster-webserver"), "-h", HOST, "-p", str(port), *workspace],
            lambda: _listens(port),
        ),
        Program("daemon", [str(binary / "dagster-daemon"), "run", *workspace], lambda: True),
    ]


def supervisor_of(home: Home) -> Supervisor:
    """A supervisor with the environment that every process of the book shares."""
    from orchestration.run_day import open_instance

    open_instance(home).dispose()
    return Supervisor(
        home.root / "logs",
        {"ONEBOOK_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster), "PYTHONPATH": str(REPOSITORY)},
    )


def run_book(home: Home, port: int, tell: Tell, fence: Path | None = None) -> int:
    """Run everything until Ctrl-C. Returns 0, or the code of the process that ended by itself."""
    from orchestration.day import mark_home

    if _listens(port):
        raise BadInput(f"port {port} is taken; choose another with --port")
    mark_home(home)
    supervisor = supervisor_of(home)
    supervisor.stop_on_signals()
    try:
        for program in [*engine_programs(home, fence), *dagster_programs(home, port)]:
            tell(f"starting {program.name}")
            supervisor.start(program)
        tell(f"Dagster UI: http://{HOST}:{port}   (Ctrl-C stops everything)")
        return supervisor.watch()
    finally:
        tell("stopping")
        supervisor.stop()


def book_status(home: Home) -> list[tuple[str, str]]:
    """Where journal and lake stand, whether the engine answers, which files wait."""
    frames = read_mark(home.journal) if home.journal.exists() else None
    return [
        ("home", str(home.root)),
        ("journal", f"{frames or 0:,} durable frames"),
        ("lake", f"readable to sequence {watermark(home):,}" if home.lake.exists() else "none yet"),
        ("role", told_text(home.standing, WallClock().now_ns()) or "the only copy"),
        ("engine", "answers" if _answers(home.socket) else "is not running"),
        ("inbox", f"{_count(home.inbox)} files wait"),
        ("quarantine", f"{_count(home.quarantine)} files"),
    ]


def _count(folder: Path) -> int:
    return sum(1 for p in folder.iterdir() if p.is_file()) if folder.exists() else 0


def _onebook(*words: str) -> list[str]:
    return [sys.executable, "-m", "orchestration.cli", *words]


def _answers(path: Path) -> bool:
    if not path.exists():
        return False
    client = SocketClient(path, timeout_seconds=2.0)
    try:
        return b"error" in client.ask(b"{}\n")  # an empty request is refused, by an engine that is there
    except EngineUnreachable:
        return False
    finally:
        client.close()


def _is_lake_level(home: Home) -> bool:
    try:
        return watermark(home) > 0
    except (OSError, ValueError):
        return False


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        tried.settimeout(0.5)
        return tried.connect_ex((HOST, port)) == 0
