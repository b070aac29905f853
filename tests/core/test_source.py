"""Hashes of source: they change with the code and with nothing else."""

import re

import pytest

from reverie.core import ReverieError
from reverie.core.source import commit, source_hash


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "made_up_physics"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/__init__.py", "inner/a.py"):
        (folder / name).write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    source_hash.cache_clear()
    yield folder
    source_hash.cache_clear()


def test_a_changed_byte_changes_the_hash(package):
    before = source_hash("made_up_physics")
    assert source_hash("made_up_physics") == before
    (package / "inner/a.py").write_text("x = 2\n")
    source_hash.cache_clear()
    assert source_hash("made_up_physics") != before


def test_of_modules_and_packages_by_name(package):
    assert (
        source_hash("made_up_physics.inner.a") != source_hash("made_up_physics.inner") != source_hash("made_up_physics")
    )
    (package / "__pycache__").mkdir(exist_ok=True)  # python may have been here
    (package / "notes.txt").write_text("no source")
    before = source_hash("made_up_physics")
    source_hash.cache_clear()
    assert source_hash("made_up_physics") == before


def test_what_has_no_source_is_an_error():
    with pytest.raises(ReverieError, match=r"no source files of 'reverie\.nowhere'"):
        source_hash("reverie.nowhere")


def test_the_commit_is_one_or_absent():
    assert commit() is None or re.fullmatch(r"[0-9a-f]{7,12}\+?", str(commit()))
