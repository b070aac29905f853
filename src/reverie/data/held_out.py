"""Which episodes of a data set nobody trains on.

The lot is drawn per scene: what is held out from one model is held out from all of them, and with an episode everything
that was made of it, in whatever data set (another policy in that scene, the same commands dreamt).
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core import generator
from reverie.data.cache import FrameCache
from reverie.data.recordings import recorded_scenes

VALIDATION_SPLITS = ("val", "valid", "validation", "test")


def own_split(cache: FrameCache) -> NDArray[np.bool_]:
    """[E]: what the data set itself holds out; nothing where that would be everything."""
    own = np.array([e.split in VALIDATION_SPLITS for e in cache.episodes], np.bool_)
    return own & ~own.all()


def held_out_episodes(cache: FrameCache, fraction: float) -> NDArray[np.bool_]:
    """[E]: the data set's own split where it has one, else about `fraction` by lot, at least one of several scenes; nothing
    where that would be everything."""
    own = own_split(cache)
    if own.any() or len(own) < 2:
        return own
    scenes = [
        e.scene.id if e.scene else scene.id for e, scene in zip(cache.episodes, recorded_scenes(cache), strict=True)
    ]
    lots = np.array([generator("held out", scene).random() for scene in scenes])
    held_out = lots < fraction
    held_out = held_out if held_out.any() else lots == lots.min()
    return np.asarray(held_out & ~held_out.all())
