"""Runs a chapter: its python blocks in order, in one namespace, in a folder that starts empty.

    .venv/bin/python docs/learn/run.py 3            # prints each block and what it prints; pictures in runs/learn
    .venv/bin/python docs/learn/run.py 3 --write    # puts the output into the chapter and its pictures into pictures/

A ```text block after a python block is what that block prints. After the word text may stand `rtol=` and `atol=`: then
numbers may differ by so much, because floating point does; everything else must be equal.
"""

import argparse
import contextlib
import io
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHAPTERS = sorted(HERE.glob("[0-9]*.md"))
_BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text([^\n]*)\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Block:
    """Python code, the line of the chapter on which it begins, and what is printed below it (`options`: tolerances)."""

    code: str
    line: int
    options: str
    expected: str

    @property
    def tolerances(self) -> dict[str, float]:
        return {"rtol": 0.0, "atol": 0.0} | {k: float(v) for k, v in (o.split("=") for o in self.options.split())}


def blocks(chapter: Path) -> list[Block]:
    text = chapter.read_text()
    return [Block(m[1], text[: m.start(1)].count("\n") + 1, m[2] or "", m[3] or "") for m in _BLOCK.finditer(text)]


def run(chapter: Path, folder: Path) -> Iterator[tuple[Block, str]]:
    """Every block with what it printed. Pictures that the chapter saves lie in `folder` afterwards."""
    sys.path.insert(0, str(HERE))
    names: dict[str, Any] = {"__name__": f"chapter {chapter.stem}"}
    try:
        with contextlib.chdir(folder):
            for block in blocks(chapter):
                printed = io.StringIO()
                code = compile("\n" * (block.line - 1) + block.code, str(chapter), "exec")
                with contextlib.redirect_stdout(printed):
                    exec(code, names)
                yield block, printed.getvalue()
    finally:
        sys.path.remove(str(HERE))


def difference(block: Block, printed: str) -> str:
    """What is wrong with the output, or nothing."""
    found, wanted = _NUMBER.findall(printed), _NUMBER.findall(block.expected)
    if not block.options.strip():
        return "" if printed == block.expected else f"printed:\n{printed}expected:\n{block.expected}"
    words = [_NUMBER.sub("#", t).split() for t in (printed, block.expected)]
    if words[0] != words[1] or len(found) != len(wanted):
        return f"printed other words:\n{printed}expected:\n{block.expected}"
    rtol, atol = block.tolerances["rtol"], block.tolerances["atol"]
    off = [(f, w) for f, w in zip(found, wanted, strict=True) if abs(float(f) - float(w)) > atol + rtol * abs(float(w))]
    return f"printed, expected: {off} of\n{printed}" if off else ""


def written(chapter: Path, outputs: list[str]) -> str:
    """The chapter with these outputs below its blocks."""
    left = iter(outputs)

    def block(match: re.Match[str]) -> str:
        printed = next(left)
        shown = f"\n```text{match[2] or ''}\n{printed}```\n" if printed else ""
        return f"```python\n{match[1]}```\n{shown}"

    return _BLOCK.sub(block, chapter.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a chapter of the guided path.")
    parser.add_argument("chapter", type=int, help=f"1 to {len(CHAPTERS)}")
    parser.add_argument("--write", action="store_true", help="put output and pictures into the chapter")
    asked = parser.parse_args()
    found = [c for c in CHAPTERS if c.name.startswith(f"{asked.chapter}_")]
    if not found:
        parser.error(f"no chapter {asked.chapter}: there are {', '.join(c.stem for c in CHAPTERS)}")
    chapter = found[0]
    folder = Path("runs/learn") / chapter.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    outputs = []
    for block, printed in run(chapter, folder.resolve()):
        outputs.append(printed)
        print("".join(f">>> {line}\n" for line in block.code.splitlines()) + printed, flush=True)
    print(f"pictures: {sorted(map(str, folder.iterdir()))}")
    if asked.write:
        chapter.write_text(written(chapter, outputs))
        for picture in folder.glob("*.png"):
            shutil.copy(picture, HERE / "pictures")


if __name__ == "__main__":
    main()
