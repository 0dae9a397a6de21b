"""The warehouse: every dbt model is an asset, every dbt test is a check.

Owns: how dbt is called and what Dagster calls its models. Does not own: a single figure; those are SQL.
A failing test stops the models behind it and the products behind those; only a sound run publishes marts.
"""

# No postponed annotations here: Dagster reads the annotation of `context` as it stands.

import os
import sys
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import dagster as dg

from engine.config import Home
from orchestration.settings import DBT_PROJECT

with warnings.catch_warnings():  # it imports a parser that its makers call deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

# a run of some models runs the tests that see only those; a run of all models runs all tests
BUILD = ("build", "--indirect-selection", "cautious")
DECLARING = ("models", "macros", "seeds", "tests", "dbt_project.yml", "profiles.yml")
PROJECT = DbtProject(project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=Path("target/dagster"))


class LayerTranslator(DagsterDbtTranslator):
    """A model's asset key is its layer and its name; its group is its layer."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Layer and name of a model; a source names its lake table itself."""
        if dbt_resource_props["resource_type"] in ("model", "seed"):
            return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer: staging, intermediate or marts."""
        return _layer(dbt_resource_props)


def manifest_path() -> Path:
    """The manifest of the project as it lies on disk; parsed again when a declaring file is newer."""
    made = PROJECT.manifest_path
    if not made.exists() or made.stat().st_mtime < _newest_declaration():
        dbt_client().cli(["parse", "--quiet"], target_path=PROJECT.project_dir / PROJECT.target_path).wait()
    return made


def warehouse_assets() -> dg.AssetsDefinition:
    """All models of the project as one step: `dbt build`, models and tests in their order."""

    @dbt_assets(
        manifest=manifest_path(),
        project=PROJECT,
        dagster_dbt_translator=LayerTranslator(),
        name="warehouse",
    )
    def warehouse(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> Iterator[Any]:
        (home.warehouse / "marts").mkdir(parents=True, exist_ok=True)
        # dbt's own lines go to a file: the terminal belongs to whoever started the run
        with _environment(home), (home.warehouse / "dbt.log").open("w") as log, redirect_stdout(log):
            build = dbt_client().cli([*BUILD], context=context, target_path=home.warehouse / "dbt")
            yield from build.stream()

    return warehouse


def dbt_client() -> DbtCliResource:
    """The dbt of this installation, whatever the PATH says."""
    return DbtCliResource(project_dir=PROJECT, dbt_executable=str(Path(sys.executable).parent / "dbt"))


def _layer(dbt_resource_props: Mapping[str, Any]) -> str:
    if dbt_resource_props["resource_type"] == "seed":
        return "reference"
    return str(dbt_resource_props["fqn"][1])


def _newest_declaration() -> float:
    return max(
        path.stat().st_mtime
        for part in DECLARING
        for path in ([DBT_PROJECT / part, *(DBT_PROJECT / part).rglob("*")])
        if path.is_file()
    )


@contextmanager
def _environment(home: Home) -> Generator[None]:
    """Tell dbt which home to read: its profile knows homes by the environment only."""
    before = os.environ.get("ONEBOOK_HOME")
    os.environ["ONEBOOK_HOME"] = str(home.root)
    try:
        yield
    finally:
        if before is None:
            del os.environ["ONEBOOK_HOME"]
        else:
            os.environ["ONEBOOK_HOME"] = before
