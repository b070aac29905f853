"""Shelf: where driven episodes go, each on disk when it is saved; together they become a data set in the end."""

from pathlib import Path

from reverie.core import Episode, World
from reverie.data import EpisodeStager, compact
from reverie.data.importers import default_images
from reverie.data.whole import discard_folder
from reverie.driving.take import SOURCE
from reverie.embodiments import panda


class Shelf:
    """What was saved before the program was killed is there again when the same world is driven for the same folder. Errors:
    ReverieError where a finished data set or anything else lies at `root`, or the episodes of another world are staged."""

    def __init__(self, root: Path, world: World) -> None:
        robot = panda.NAME if world.action_spec == panda.ACTION_SPEC else "unknown"
        request = {"made_by": SOURCE, "world": world.fingerprint}
        self.root, self._stager = (
            root,
            EpisodeStager(root, default_images(world.observation_spec), robot, request=request),
        )

    @property
    def n_saved(self) -> int:
        return len(self._stager.staged())

    def save(self, episode: Episode) -> int:
        """On disk when it returns; returns the episode's number."""
        number = max(self._stager.staged(), default=-1) + 1
        self._stager.stage(number, episode)
        return number

    def finish(self) -> Path | None:
        """The data set of everything saved; None where that is nothing, and nothing is left then."""
        if not self.n_saved:
            discard_folder(self._stager.folder)
            return None
        return compact(self._stager.folder, self.root)
