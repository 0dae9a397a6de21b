"""Where public samples and design material lie: the folder `shared` beside the repository."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
if not SHARED.is_dir():
    raise FileNotFoundError("the folder 'shared' with the public samples is missing beside the repository")
