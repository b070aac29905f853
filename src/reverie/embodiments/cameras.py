"""Pinhole cameras with calibration: where they stand, and the matrix that projects the world into their pixels.

Pixels: u to the right, v down, the centre of the upper left pixel at (0, 0). Camera frames follow OpenCV: x right,
y down, z forward. A camera is fixed in the base frame or mounted on the hand (`mount` = "tcp").
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reverie.core.specs import CameraSpec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """`position` and the point looked `at`, metres, in the frame of `mount`; `up` is the image's upward direction."""

    name: str
    position: tuple[float, float, float]
    at: tuple[float, float, float]
    up: tuple[float, float, float]
    fovy_rad: float
    height: int = 64
    width: int = 64
    mount: Literal["base", "tcp"] = "base"

    def moved(self, azimuth_rad: float, elevation_rad: float, closer: float) -> "Camera":
        """Turned around the point it looks at, about the vertical and up, and nearer to it by a share of the distance."""
        arm = np.subtract(self.position, self.at)
        flat, turn = float(np.hypot(arm[0], arm[1])), float(np.arctan2(arm[1], arm[0])) + azimuth_rad
        length, rise = float(np.linalg.norm(arm)) * (1 - closer), float(np.arctan2(arm[2], flat)) + elevation_rad
        arm = length * np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)])
        x, y, z = (float(v) for v in arm + self.at)
        return replace(self, position=(x, y, z))

    @property
    def spec(self) -> CameraSpec:
        return CameraSpec(self.name, self.height, self.width)

    @property
    def intrinsics(self) -> Array:
        """[3, 3], square pixels, principal point in the middle of the image."""
        focal = self.height / 2 / np.tan(self.fovy_rad / 2)
        return np.array([[focal, 0, (self.width - 1) / 2], [0, focal, (self.height - 1) / 2], [0, 0, 1]])

    @property
    def pose_in_mount(self) -> Array:
        """[4, 4], camera to mount."""
        position, at, up = (np.array(v, dtype=np.float64) for v in (self.position, self.at, self.up))
        z = (at - position) / np.linalg.norm(at - position)
        x = np.cross(z, up)
        x /= np.linalg.norm(x)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
        pose[:3, 3] = position
        return pose

    def pose(self, tcp: Array) -> Array:
        """Camera to base, [B, 4, 4], for TCP poses [B, 4, 4]."""
        if self.mount == "tcp":
            return np.asarray(tcp @ self.pose_in_mount)
        return np.broadcast_to(self.pose_in_mount, tcp.shape)


def projection(camera: Camera, tcp: Array) -> Array:
    """[B, 3, 4] matrices from homogeneous base coordinates to (u w, v w, w) with depth w in metres, for TCP [B, 4, 4]."""
    return np.asarray(camera.intrinsics @ np.linalg.inv(camera.pose(tcp))[:, :3])


def project(matrix: Array, points: Array) -> tuple[Array, Array]:
    """[..., 3, 4] and points [..., 3] -> pixels [..., 2] and depth [...] in metres (negative behind the camera)."""
    homogeneous = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    uvw = np.einsum("...ij,...j->...i", matrix, homogeneous)
    return uvw[..., :2] / uvw[..., 2:], uvw[..., 2]
