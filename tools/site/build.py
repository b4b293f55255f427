"""Build the site with a generator in an environment of its own, in strict mode: a broken link is an error."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tools.site.nav import nav
from tools.site.pages import ROOT, pages

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
#: Apart from the packages of the project: `make setup` does not need them.
ENVIRONMENT = Path(sys.prefix) / "site"
#: Each site has this file.
MARK = "sitemap.xml"


def build(site: Path) -> None:
    """Write the site into a folder, in place of an earlier one.

    Raises FileExistsError for a folder that holds anything else, and CalledProcessError for a wrong page or link.
    """
    if site.exists() and any(site.iterdir()) and not (site / MARK).exists():
        raise FileExistsError(f"expected a new folder or an earlier site, found other files in {site}")
    generator = installed()
    with tempfile.TemporaryDirectory() as folder:
        settings = staged(Path(folder))
        subprocess.run([generator, "build", "--strict", "--clean", "-f", settings], check=True)
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(settings.parent / "site", site)


def installed(environment: Path = ENVIRONMENT) -> Path:
    """Return the generator's program, installed from the lock if that is newer."""
    program = environment / "bin" / "zensical"
    if not program.exists() or program.stat().st_mtime < LOCK.stat().st_mtime:
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, environment], check=True)
        into = ["--python", str(environment / "bin" / "python"), "--only-binary", ":all:"]
        subprocess.run([*uv, "pip", "install", *into, "--require-hashes", "-r", LOCK], check=True)
        program.touch()
    return program


def staged(folder: Path) -> Path:
    """Write the content and the settings of the site into a folder. Return the path of the settings."""
    for place, content in pages().items():
        path = folder / "content" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    added = {"docs_dir": "content", "site_dir": "site", "nav": nav((ROOT / "docs" / "README.md").read_text())}
    lines = [f"{key}: {msgspec.json.encode(value).decode()}\n" for key, value in added.items()]  # JSON is YAML
    settings = folder / "mkdocs.yml"
    settings.write_text((HERE / "mkdocs.yml").read_text() + "".join(lines))
    return settings
