"""What our server is asked: the keys `images/CAMERA`, `commanded`, `measured`, `prompt`, and `seed` where one is given."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import Observations, ObservationSpec, ReverieError


def observations_of(request: Any, spec: ObservationSpec) -> Observations:
    """[1, n_obs_steps, ...]. With n_obs_steps 1 arrays come without that axis. Errors: ReverieError naming the key."""
    if not isinstance(request, Mapping):
        raise ReverieError(f"the request is a {type(request).__name__}, expected a map")
    lead = (1, spec.n_obs_steps)
    return Observations(
        images={
            c.name: _array(request, f"images/{c.name}", (*lead, c.height, c.width, 3), np.dtype(np.uint8))
            for c in spec.cameras
        },
        time_s=np.zeros(lead),
        instructions=(_prompt(request),),
        commanded=_state(request, "commanded", lead, spec.commanded),
        measured=_state(request, "measured", lead, spec.measured),
    )


def _prompt(request: Mapping[str, Any]) -> str:
    if not isinstance(request.get("prompt"), str):
        raise ReverieError(f"'prompt' is {request.get('prompt')!r}, expected the instruction as a string")
    return str(request["prompt"])


def _state(
    request: Mapping[str, Any], key: str, lead: tuple[int, int], names: tuple[str, ...]
) -> NDArray[np.float32] | None:
    if not names:
        return None
    found = _array(request, key, (*lead, len(names)), None).astype(np.float32)
    if not np.isfinite(found).all():
        raise ReverieError(f"{key!r} holds values that are not finite")
    return found


def _array(request: Mapping[str, Any], key: str, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> NDArray[Any]:
    if key not in request:
        raise ReverieError(f"found no {key!r} in the request ({sorted(map(str, request))}), expected {list(shape[1:])}")
    found = np.asarray(request[key])
    wanted = shape[2:] if shape[1] == 1 else shape[1:]
    if found.shape != wanted or found.dtype.kind not in "iuf" or (dtype is not None and found.dtype != dtype):
        raise ReverieError(
            f"{key!r} is {found.dtype} {list(found.shape)}, expected {dtype or 'numbers'} {list(wanted)}"
        )
    return found.reshape(shape)
