"""Settings of the orchestration: who signs, and where the book lies.

What changes an outcome is a journaled record, never a setting: settings here name people and files only.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.config import LEAST_RETENTION_DAYS, Home

REPOSITORY = Path(__file__).resolve().parent.parent
DBT_PROJECT = REPOSITORY / "dbt_project"


class PlatformSettings(BaseSettings):
    """Settings of the platform's products; environment variables begin with `PLATFORM_`."""

    model_config = SettingsConfigDict(env_prefix="PLATFORM_", frozen=True)

    preparer_operator_id: int = 901  # computes the reserve and prepares its order
    approver_operator_id: int = 902  # reviews the computation; approves its order in the simulated day
    backup_private: bool = False  # whether backups hold keys and vault
    # Files of the lake that a compaction replaced. Six years, as records are kept: 17 CFR 240.17a-4(a).
    lake_retention_days: int = Field(default=2_196, ge=LEAST_RETENTION_DAYS)


class _HomeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ONEBOOK_", frozen=True)

    home: Path = Path(".onebook")


def home_from_environment() -> Home:
    """The home folder that `ONEBOOK_HOME` names; `.onebook` where one stands when it is not set."""
    return Home(_HomeSettings().home)
