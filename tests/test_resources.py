"""A target is found by its path, or by its name: here first, then beside the package, then in the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable import resources
from shaketable.errors import ManifestError

ROOT = Path(__file__).parents[1]


def test_no_name_is_the_reference() -> None:
    assert resources.target(None) == resources.target(Path("reference")) == ROOT / "reference_impl" / "target.toml"


def test_an_alternative_has_a_name_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resources.target(Path("celery-hardened")) == ROOT / "alternatives" / "celery-hardened.toml"


def test_the_nearest_of_a_name_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alternatives").mkdir()
    (mine := tmp_path / "alternatives" / "celery-hardened.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert resources.target(Path("celery-hardened")) == mine


def test_a_path_is_taken_as_it_is() -> None:
    assert resources.target(Path("mine/target.toml")) == Path("mine/target.toml")


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(ManifestError, match=r"no target is called 'celary': .*reference, .*celery-hardened"):
        resources.target(Path("celary"))


def test_a_folder_with_a_manifest_stands_for_it(tmp_path: Path) -> None:
    (tmp_path / "target.toml").write_text("")
    assert resources.target(tmp_path) == tmp_path / "target.toml"
