"""Is a policy wired up right? Logged observations are shown to it, and what it would have done is compared with what was done.

`asking` shows and asks, `alternatives` lists what could be wrong with actions and pictures, `scales` how far off their size
is, `instructions` whether it listens, `check` puts it together. No world is needed, and nothing is rolled out.
"""

from reverie.evaluation.wiring.check import Wiring, check_wiring

__all__ = ["Wiring", "check_wiring"]
