"""LeRobot in a virtual environment of its own, and a process in it that answers `lerobot_side.py`'s requests.

LeRobot 0.6 asks for other versions of half of what this package uses, and for Python 3.12: nothing of it is installed here.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from reverie.core import ReverieError

PINS = (
    "lerobot[dataset]==0.6.1",
    "torch==2.11.0",
    "torchvision==0.26.0",
    "torchcodec==0.11.1",
    "datasets==4.8.5",
    "huggingface_hub==1.33.0",
    "av==15.1.0",
    "numpy==2.2.6",
    "pandas==2.3.3",
    "pillow==12.3.0",
    "pyarrow==26.0.1",
)
"""What was newest on the day of the measurement, within LeRobot's own bounds. With the CUDA libraries that torch's wheel
asks for it takes 5.5 GB."""


def install(venv: Path, python: str) -> Path:
    """The interpreter of the environment at `venv`, made with `python` unless it is there with the same versions."""
    found, marker = venv / "bin" / "python", venv / "installed.txt"
    wanted = "\n".join(PINS)
    if marker.is_file() and marker.read_text() == wanted:
        return found
    old_enough = "import sys; sys.exit(sys.version_info < (3, 12))"
    try:
        subprocess.run([python, "-c", old_enough], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ReverieError(
            f"{python!r} runs no Python of version 3.12 or newer, which LeRobot needs: make its environment once with "
            "`python bench/loading.py --python PATH`"
        ) from error
    print(f"installing LeRobot in {venv}: about 3 minutes and 5.5 GB, once", flush=True)
    subprocess.run([python, "-m", "venv", "--clear", str(venv)], check=True)
    subprocess.run([str(found), "-m", "pip", "install", "--quiet", *PINS], check=True)
    _link_ffmpeg(venv)
    marker.write_text(wanted)
    return found


def _link_ffmpeg(venv: Path) -> None:
    """torchcodec, LeRobot's faster decoder, looks for FFmpeg under its usual names; PyAV brings it under others."""
    (venv / "ffmpeg").mkdir(exist_ok=True)
    for library in _bundled(venv).glob("lib*.so.*"):
        name = re.sub(r"-[0-9a-f]{8}(\.so\.\d+).*", r"\1", library.name)
        (venv / "ffmpeg" / name).symlink_to(library.resolve())


def _bundled(venv: Path) -> Path:
    return next(iter(venv.glob("lib/python*/site-packages/av.libs")), venv)


class LeRobot:
    """`ask("pace", root=..., ...)` of one process, until the block ends. Its data sets cache is in `home`, and what it says
    beside answers in `home/<name>.log`."""

    def __init__(self, python: Path, home: Path, name: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        venv, self._log = python.parent.parent, home / f"{name}.log"
        libraries = [str(venv / "ffmpeg"), str(_bundled(venv)), os.environ.get("LD_LIBRARY_PATH", "")]
        own = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        own["LD_LIBRARY_PATH"] = ":".join(filter(None, libraries))
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(python), str(Path(__file__).with_name("lerobot_side.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | own,
            )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Errors: ReverieError if the process has ended, with the last it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer will be empty
        answer = self._process.stdout.readline()
        if not answer:
            said = "".join(self._log.read_text().splitlines(keepends=True)[-4:])
            raise ReverieError(f"LeRobot's process ended at {do!r}; {self._log} ends with\n{said}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def __enter__(self) -> "LeRobot":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        finally:
            self._process.kill()
