"""docs/learn: every snippet runs, prints what stands below it, and draws the picture that is shown."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

LEARN = Path(__file__).resolve().parents[2] / "docs" / "learn"


def _runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("learn_run", LEARN / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["learn_run"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


RUNNER = _runner()


@pytest.mark.parametrize("chapter", RUNNER.CHAPTERS, ids=lambda c: c.stem)
def test_a_chapter_says_what_its_snippets_print(chapter: Path, tmp_path: Path) -> None:
    for block, printed in RUNNER.run(chapter, tmp_path):
        assert not (wrong := RUNNER.difference(block, printed)), f"{chapter.name}, line {block.line}: {wrong}"
    drawn = {p.name for p in tmp_path.iterdir()}
    assert drawn == set(re.findall(r"\]\(pictures/([\w.]+)\)", chapter.read_text()))
    for name in drawn:
        ours, shown = (np.asarray(Image.open(f / name).convert("RGB"), float) for f in (tmp_path, LEARN / "pictures"))
        assert ours.shape == shown.shape
        assert np.abs(ours - shown).mean() < 2, f"{name}: `docs/learn/run.py {chapter.name[0]} --write` draws it again"


def test_every_picture_belongs_to_a_chapter() -> None:
    shown = "".join(c.read_text() for c in RUNNER.CHAPTERS)
    assert all(f"(pictures/{p.name})" in shown for p in (LEARN / "pictures").iterdir())


def test_the_entrance_names_every_chapter() -> None:
    entrance = (LEARN / "README.md").read_text()
    assert [c.name for c in RUNNER.CHAPTERS] == re.findall(r"\((\d_\w+\.md)\)", entrance)


def test_output_is_compared_to_the_letter_unless_tolerances_are_given() -> None:
    exact, about = (RUNNER.Block("", 1, options, "loss 0.50 at 3\n") for options in ("", " rtol=0.1"))
    assert not RUNNER.difference(exact, "loss 0.50 at 3\n")
    assert RUNNER.difference(exact, "loss 0.51 at 3\n")
    assert not RUNNER.difference(about, "loss 0.51 at 3\n")
    assert RUNNER.difference(about, "loss 0.56 at 3\n")
    assert RUNNER.difference(about, "gain 0.50 at 3\n")
    assert RUNNER.difference(about, "loss nan at 3\n")


def test_output_goes_into_the_chapter(tmp_path: Path) -> None:
    chapter = tmp_path / "1_x.md"
    chapter.write_text("a\n\n```python\nprint(1 + 1)\n```\n\n```text rtol=0.1\n7\n```\n\nb\n\n```python\nx = 1\n```\n")
    outputs = [printed for _, printed in RUNNER.run(chapter, tmp_path)]
    assert outputs == ["2\n", ""]
    assert RUNNER.written(chapter, outputs) == chapter.read_text().replace("7", "2")
