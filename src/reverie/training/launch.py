"""Several processes on this machine that train as one team (torch's elastic launcher). On a cluster `torchrun` or
`accelerate launch` start the same command on every machine instead."""

import logging
import os
from collections.abc import Callable
from typing import Any

import torch

from reverie.core import ReverieError

_OURS = f"{ReverieError.__name__}: "


def is_launched() -> bool:
    """Whether this process was started as one of a team."""
    return "LOCAL_RANK" in os.environ


def check_processes(wanted: int) -> None:
    """Errors: ReverieError for a number that is not positive, or not the number that were started from outside."""
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if wanted < 1 or (is_launched() and wanted not in (1, started)):
        raise ReverieError(
            f"processes is {wanted}: expected >= 1; a launcher that starts {started} decides it by itself"
        )


def launch(processes: int, work: Callable[..., None], *arguments: Any) -> None:
    """work(*arguments) in every process of a team; `work` is a module's function. One that fails, or is killed, ends all
    of them. Each gets its share of the cores as threads, unless OMP_NUM_THREADS says otherwise.

    Errors: ReverieError as it was raised in a process; RuntimeError with the traceback of any other failure."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in ("distributed.elastic", "distributed.launcher", "multiprocessing"):
        logging.getLogger(f"torch.{name}").setLevel(logging.CRITICAL)  # the error is told once, by us
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # DDP advises against what `team` asks it for
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // processes)))
    config = LaunchConfig(
        1, 1, processes, run_id="training", rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0, local_addr="localhost"
    )  # fmt: skip
    try:
        elastic_launch(config, _recorded)(work, *arguments)
    except ChildFailedError as error:
        raise _told(error) from None
    except SignalException as error:
        raise KeyboardInterrupt from error


def _recorded(work: Callable[..., None], *arguments: Any) -> None:
    """In a process of the team: an error is written down for the one that started it."""
    from torch.distributed.elastic.multiprocessing.errors import record

    record(work)(*arguments)


def _told(error: Any) -> Exception:
    rank, failure = error.get_first_failure()
    written = failure.error_file_data.get("message", {}) if failure.error_file_data else {}
    told = written.get("message", "") if isinstance(written, dict) else ""
    if told.startswith(_OURS):
        return ReverieError(told.removeprefix(_OURS))
    trace = written.get("extraInfo", {}).get("py_callstack", "") if isinstance(written, dict) else ""
    return RuntimeError(f"process {rank} of the training failed: {trace or failure.message}")
