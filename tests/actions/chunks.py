"""Chunks that look like a robot's, and every codec of the table fitted on them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reverie.actions import CODECS

HORIZON, DIM = 8, 4
GRIPPER = DIM - 1
LOW, HIGH = -0.25, 0.375


def like_a_robots(seed: int, n: int) -> np.ndarray:
    """[n, HORIZON, DIM] float32 in LOW..HIGH: smooth, one number constant, the last a gripper of 0 or 1."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.02, (n, HORIZON, DIM)), axis=1) + rng.normal(0, 0.05, (n, 1, DIM))
    values = np.clip(walk, LOW, HIGH).astype(np.float32)
    values[0, 0], values[0, 1] = LOW, HIGH  # the bounds occur
    values[..., 1] = 0.1
    values[..., GRIPPER] = rng.random((n, 1)) + np.arange(HORIZON) / HORIZON > 1
    return values


TRAINING = like_a_robots(0, 200)
OPTIONS = {"vocabulary_tail": {"kept": (GRIPPER,)}, "fast": {"vocabulary_size": 512}}
FITTED = {name: codec.fit(TRAINING, **OPTIONS.get(name, {})) for name, codec in CODECS.items()}

FREE = (0, 2)
"""The numbers that vary between LOW and HIGH."""

rows = st.integers(1, 3)
inside = rows.flatmap(lambda b: hnp.arrays(np.float32, (b, HORIZON, DIM), elements=st.floats(LOW, HIGH, width=32)))
anything = rows.flatmap(lambda b: hnp.arrays(np.float32, (b, HORIZON, DIM), elements=st.floats(-3, 3, width=32)))


def same_codes(a, b) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) if not isinstance(x, str) else x == y for x, y in zip(a, b, strict=True))  # fmt: skip
