"""The repository itself: what can be called is documented, what must not stand anywhere does not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

from engine.config import EngineSettings
from orchestration.cli import app
from orchestration.settings import PlatformSettings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def tracked() -> list[Path]:
    """Every text file that git knows."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [ROOT / n for n in names if (ROOT / n).is_file()]


def commands() -> dict[str, str]:
    """Each command as one types it -> its help."""
    group = typer.main.get_command(app)
    found: dict[str, str] = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        if below is None:
            found[name] = command.help or ""
        else:
            found |= {f"{name} {n}": c.help or "" for n, c in below.items()}
    return found


def test_every_command_has_help_and_a_line_in_the_readme() -> None:
    assert len(commands()) >= 10
    for name, told in commands().items():
        assert told, name
        if not name.startswith("serve"):
            first, *rest = name.split()
            assert re.search(rf"^onebook {first}.*{rest[0] if rest else ''}", README, re.M), name


@pytest.mark.parametrize("settings", [EngineSettings, PlatformSettings])
def test_every_setting_is_documented(settings: type[EngineSettings | PlatformSettings]) -> None:
    prefix = settings.model_config["env_prefix"]
    for name, field in settings.model_fields.items():
        assert f"| `{(prefix + name).upper()}` | {field.default} |" in SETTINGS, name


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("orchestration/**/README.md"),
    ]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    hosts = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb" + "ian.org", "cra" + "tes.io")
    places = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/")
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for word in (*hosts, *places):
            assert word not in text, f"{path.relative_to(ROOT)}: {word}"


def test_the_lock_names_versions_and_hashes_only() -> None:
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(
            r"[\w.\-\[\]]+==[\w.+!]+( ; .*)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?", line
        ), line


def test_kernels_alone_are_compiled() -> None:
    for path in tracked():
        if path.suffix == ".py" and "tests" not in path.parts and not path.name.endswith("_kernel.py"):
            assert not re.search(r"^(import|from) numba\b", path.read_text(encoding="utf-8"), re.M), path
