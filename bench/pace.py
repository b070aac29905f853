"""How fast batches come. Both sides of `loading.py` time themselves with this; it needs the standard library only."""

import time
from collections.abc import Iterable


def paced(batches: Iterable[object], batch_size: int, warm: int, seconds: float) -> dict[str, float]:
    """Samples a second by the clock (`clock`), and per second that this process was at work (`processor`), which other
    processes on the machine disturb less. Whole batches, until `seconds` have passed or there are no more; the first `warm`
    ones are not timed."""
    count, start = 0, _now()
    for number, _ in enumerate(batches, start=1):
        if number <= warm:
            start = _now()
            continue
        count += 1
        if time.perf_counter() - start[0] >= seconds:
            break
    clock, processor = (end - begin for end, begin in zip(_now(), start, strict=True))
    return {"clock": count * batch_size / clock, "processor": count * batch_size / processor}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
