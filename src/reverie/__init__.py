"""Reverie: train vision-language-action policies and evaluate them in a learned video world."""

import os
import sys

# MuJoCo reads this once, when it is first imported anywhere: a screen is never needed.
if sys.platform == "linux":
    os.environ.setdefault("MUJOCO_GL", "egl")
