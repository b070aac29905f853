"""Where benchmarks leave their numbers: `bench/results/<name>.json`, and the last printed line is that JSON."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie.checkpoints import machine_receipt
from reverie.core import Estimate, Outcome, ReverieError
from reverie.evaluation.rates import Rate

RESULTS = Path(__file__).parent / "results"


def number(value: float, unit: str = "", n: int | None = None, **more: Any) -> dict[str, Any]:
    """A measured number that is no rate."""
    return {"value": value, "unit": unit} | ({"n": n} if n is not None else {}) | more


def rate(estimate: Estimate) -> dict[str, Any]:
    return estimate.to_dict()


def rated(found: Rate) -> dict[str, Any]:
    """A success rate, with the trials beside it of which the judge said nothing. Any other trial without an outcome is the
    bench's own failure, not the policy's: nothing is written."""
    if wrong := {name: n for name, n in found.left_out.items() if name != Outcome.ABSTAINED}:
        raise ReverieError(
            f"{found.policy} in {found.view.world}, judged by {found.view.judge}: {wrong} of its trials have no outcome; "
            "read `trials.jsonl` of the run, mend the cause, and begin again in another folder (--out)"
        )
    return rate(found.success) | {"abstained": found.left_out.get(Outcome.ABSTAINED, 0)}


def write(name: str, values: Mapping[str, Any]) -> None:
    """values: entry -> `number(...)` or `rate(...)`, or nested tables of them."""
    RESULTS.mkdir(exist_ok=True)
    record = {"bench": name, "date": time.strftime("%Y-%m-%d"), "receipt": machine_receipt(), "values": dict(values)}
    text = json.dumps(record, default=str)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1, default=str) + "\n")
    print(text)
