"""Where compiled kernels are kept: one folder for each state of the sources that they are compiled from.

numba looks at a kernel's own file only, so a change in a kernel that it calls, or in a record's layout, would
leave it stale. Naming the folder after a digest of all of them makes that impossible. A folder that cannot be
written would hang the import; then compilation is kept in the machine's temporary folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

_COLD = "ENGINE_KERNELS_WERE_COLD"
_ROOT = Path(__file__).resolve().parent.parent


def _sources() -> list[Path]:
    kernels = sorted((_ROOT / "engine").rglob("*_kernel.py"))
    layouts = sorted((_ROOT / "schemas").glob("*.py"))
    return [
        *kernels,
        *layouts,
        _ROOT / "engine" / "market" / "day_orders.py",
        _ROOT / "engine" / "market" / "requests.py",
        _ROOT / "engine" / "ledger" / "chart.py",
    ]


def _digest() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _base() -> Path:
    given = os.environ.get("ENGINE_KERNEL_CACHE")
    wanted = Path(given) if given else _ROOT / ".numba_cache"
    return wanted if _writable(wanted) else Path(tempfile.gettempdir()) / f"onebook-kernels-{os.getuid()}"


def choose_kernel_cache() -> Path:
    """Point numba at the folder of today's sources; call before numba is imported. Returns the folder."""
    folder = _base() / _digest()
    os.environ[_COLD] = str(int(not folder.exists()))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def was_cold() -> bool:
    """Whether this process started without compiled kernels, so that its first commands wait for them."""
    return os.environ.get(_COLD) == "1"
