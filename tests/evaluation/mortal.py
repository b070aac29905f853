"""A policy whose process dies once, as if it had run out of memory."""

import os
from pathlib import Path

from reverie.core.fakes import RandomPolicy


class Mortal(RandomPolicy):
    def infer(self, observations, memory, seeds):
        marker = Path(os.environ["REVERIE_TEST_MARKER"])
        if observations.time_s[0, -1] > 0.5 and not marker.exists():
            marker.touch()
            os._exit(9)
        return super().infer(observations, memory, seeds)


def make():
    return Mortal(name="mortal")
