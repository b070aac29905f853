"""Where a pixel of the next frame was in another frame, if it moved with the hand or stands on the table.

Both answers are homographies between two images, known from commanded poses and calibration alone:
* carried: the pixel shows something fixed to the hand, at the depth of the TCP;
* plane: the pixel shows something at height h above the table, seen by a camera that moved (or by another camera).
All matrices are float64 [B, 3, 3] and map homogeneous pixels of the NEW view to pixels of the SOURCE view.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from reverie.embodiments import panda
from reverie.embodiments.cameras import Camera

Array = NDArray[np.float64]


def carried_homography(camera: Camera, new: Array, source: Array) -> Array:
    """For a camera fixed in the base frame; `new`, `source` are commanded states [B, 15]."""
    new_tcp, source_tcp = panda.pose_of(new), panda.pose_of(source)
    pose = camera.pose(new_tcp)  # [B, 4, 4], the same for all
    to_camera = np.linalg.inv(pose)
    moved = to_camera @ source_tcp @ np.linalg.inv(new_tcp) @ pose  # camera frame -> camera frame
    depth = (to_camera @ new_tcp)[:, 2, 3]
    k = camera.intrinsics
    matrix = depth[:, None, None] * (k @ moved[:, :3, :3] @ np.linalg.inv(k))
    matrix[:, :, 2] += (k @ moved[:, :3, 3:])[:, :, 0]
    return np.asarray(matrix)


def plane_homography(new_camera: Camera, new: Array, source_camera: Camera, source: Array, height_m: float) -> Array:
    """Pixels of `new_camera` at states `new` to pixels of `source_camera` at states `source`, over the plane z = height."""
    onto = _plane_to_image(source_camera, source, height_m)
    return np.asarray(onto @ np.linalg.inv(_plane_to_image(new_camera, new, height_m)))


def _plane_to_image(camera: Camera, states: Array, height_m: float) -> Array:
    world_to_camera = np.linalg.inv(camera.pose(panda.pose_of(states)))[:, :3]
    columns = [world_to_camera[:, :, 0], world_to_camera[:, :, 1]]
    columns.append(world_to_camera[:, :, 2] * height_m + world_to_camera[:, :, 3])
    return np.asarray(camera.intrinsics @ np.stack(columns, axis=2))


@cache
def _pixels(height: int, width: int) -> Tensor:
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([u, v, torch.ones_like(u)]).float().reshape(3, -1)  # [3, HW]


def warp(images: Tensor, homography: Array) -> Tensor:
    """Sample images [B, C, H, W] bilinearly at the source pixels of every new pixel. Sources outside repeat the border;
    pixels whose source lies behind the camera repeat the border too."""
    height, width = images.shape[-2:]
    centre = homography @ np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    scale = np.array([[2 / (width - 1), 0, -1], [0, 2 / (height - 1), -1], [0, 0, 1]])  # pixels to -1..1
    matrix = scale @ homography / centre[:, 2, None, None]  # the middle of the image lies ahead: w = 1 there
    x, y, w = (torch.from_numpy(matrix).float() @ _pixels(height, width)).unbind(1)  # [B, HW] each
    ahead = w > 1e-3
    safe = torch.where(ahead, w, 1.0)
    grid = torch.stack([torch.where(ahead, x / safe, -9.0), torch.where(ahead, y / safe, -9.0)], dim=-1)
    grid = grid.clamp(-9, 9).reshape(-1, height, width, 2)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)
