"""Where things lie. What changes an outcome is a journaled record, never a setting."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

LEAST_RETENTION_DAYS = 7  # of replaced lake files: readers, backups and people who look into last week


class EngineSettings(BaseSettings):
    """Settings of the engine's processes; environment variables begin with `ENGINE_`."""

    model_config = SettingsConfigDict(env_prefix="ENGINE_", frozen=True)

    segment_bytes: int = 16 * 1024 * 1024
    snapshot_frame_count: int = 2_000
    state_hash_frame_count: int = 100
    lake_batch_frame_count: int = 4_096
    lake_batch_row_count: int = 500_000
    fence: Path | None = None
    standby_silence_ms: int = 1_000


class Home:
    """The folder that holds one book: journal, lake, files in and out, keys."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def journal(self) -> Path:
        """Segments of the journal."""
        return self.root / "journal"

    @property
    def snapshots(self) -> Path:
        """Snapshots of the engine's state."""
        return self.root / "snapshots"

    @property
    def lake(self) -> Path:
        """One Delta table a record type."""
        return self.root / "lake"

    @property
    def inbox(self) -> Path:
        """Files that banks, custodians and clearing houses sent and nobody read yet."""
        return self.root / "inbox"

    @property
    def archive(self) -> Path:
        """Files from outside that were read, by digest."""
        return self.root / "archive"

    @property
    def quarantine(self) -> Path:
        """Files from outside that could not be read, by digest."""
        return self.root / "quarantine"

    @property
    def outbox(self) -> Path:
        """Messages that products wrote, a folder each."""
        return self.root / "outbox"

    @property
    def reserve(self) -> Path:
        """Filed reserve computations."""
        return self.root / "reserve"

    @property
    def evidence(self) -> Path:
        """Incident evidence bundles."""
        return self.root / "evidence"

    @property
    def warehouse(self) -> Path:
        """The dbt database and the published marts."""
        return self.root / "warehouse"

    @property
    def dagster(self) -> Path:
        """Dagster's own storage."""
        return self.root / "dagster"

    @property
    def keys(self) -> Path:
        """Signing and vault keys; readable by the owner only."""
        return self.root / "keys"

    @property
    def vault(self) -> Path:
        """Personal data, encrypted per client."""
        return self.root / "vault"

    @property
    def simulation(self) -> Path:
        """What the simulated world knows and no product may read."""
        return self.root / "simulation"

    @property
    def socket(self) -> Path:
        """Where the engine listens."""
        return self.root / "run" / "engine.sock"

    @property
    def replication_socket(self) -> Path:
        """Where the engine ships its journal to a standby."""
        return self.root / "run" / "replication.sock"

    @property
    def standing(self) -> Path:
        """What the engine or the standby tells about itself."""
        return self.root / "run" / "standing.json"
