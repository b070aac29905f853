"""FittedCamera: a pinhole camera that stands still or rides on a link. Pixels and frames as in `embodiments.cameras`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FittedCamera:
    """intrinsics [3, 3] and pose [4, 4], camera to base, or to the link `on` where it rides on one."""

    name: str
    intrinsics: Array
    pose: Array
    on: str | None = None

    def matrices(self, link: Array) -> Array:
        """Projections [N, 3, 4] from base coordinates, for poses [N, 4, 4] of the link (not looked at if it stands still)."""
        pose = link @ self.pose if self.on else np.broadcast_to(self.pose, (len(link), 4, 4))
        return np.asarray(self.intrinsics @ np.linalg.inv(pose)[:, :3])

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "on": self.on, "intrinsics": self.intrinsics.tolist(), "pose": self.pose.tolist()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "FittedCamera":
        """What `to_dict` gave, and perhaps more."""
        return cls(value["name"], np.array(value["intrinsics"]), np.array(value["pose"]), value["on"])
