"""calibrate: the cameras of a data set, fitted from the joints it logged and the pixels that a person clicked.

for each clicked camera: where the robot's point was in the clicked frames, by forward kinematics; fit; check
the cameras of an earlier calibration that were not clicked now stay
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from reverie.calibration.calibration import Calibration, Joints, columns_of
from reverie.calibration.fitting import Fit, fit_camera
from reverie.calibration.reprojection import Known
from reverie.calibration.robot_file import RobotFile
from reverie.core import Observations, ReverieError
from reverie.data.calibration import read_calibration, write_calibration
from reverie.data.clicks import Click, Clicks, check_clicks
from reverie.data.lerobot_reader import Dataset

Array = NDArray[np.float64]
SHEET_HEIGHT, SHEET_COLUMNS = 256, 4


@dataclass(frozen=True)
class Marked:
    """The point that is clicked: in metres in the frame of a link of the robot; and how the data tell the joints."""

    robot: RobotFile
    link: str
    joints: Joints
    point: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def positions(self, poses: Array) -> Array:
        return np.asarray(poses[:, :3, :3] @ np.array(self.point) + poses[:, :3, 3])


def joints_of(robot: RobotFile, link: str, named: Sequence[str], dataset: Dataset, degrees: bool = False) -> Joints:
    """named: for each joint between the base and the link, in that order, a number of the data, or one extra that holds them
    all; empty: the data call them as the robot does. Errors: ReverieError that lists what there is."""
    seen, spec = dataset.episode(0, images=False, depth=False).observations, dataset.observation_spec
    chain, known = robot.chain(link), columns_of(spec, seen)
    names = list(named) or [next((c for c in (n, f"{n}.pos") if c in known), n) for n in chain]
    if len(names) == 1 and names[0] not in known and f"{names[0]}[0]" in known:
        names = [c for c in known if c.startswith(f"{names[0]}[")][: len(chain)]
    if len(names) != len(chain):
        raise ReverieError(
            f"--joints: found {len(names)} ({', '.join(names)}), expected {len(chain)}, one for each joint between the base and "
            f"{link!r}: {', '.join(chain)}"
        )
    if absent := [name for name in names if name not in known]:
        raise ReverieError(
            f"{dataset.root}: found no numbers {', '.join(absent)}; name those of the joints {', '.join(chain)} with --joints, "
            f"in this order; the data have {', '.join(known)}"
        )
    return Joints(dict(zip(chain, names, strict=True)), degrees)


def link_poses(marked: Marked, link: str, seen: Observations, dataset: Dataset) -> Array:
    """[F, 4, 4]"""
    chain = marked.robot.chain(link)
    return marked.robot.poses(link, marked.joints.values(chain, seen, dataset.observation_spec))


def fit_cameras(dataset: Dataset, marked: Marked, clicks: Clicks, path: Path) -> dict[str, Fit]:
    """camera -> its fit, for every camera with clicks. Errors: ReverieError, also for none; path: of the clicks."""
    check_clicks(clicks, dataset, path)
    if not clicks.clicks:
        raise ReverieError(f"{path}: found no click, expected 12 or so for each camera")
    return {
        c.name: _fit(dataset, marked, clicks, c.name) for c in dataset.observation_spec.cameras if clicks.of(c.name)
    }


def _fit(dataset: Dataset, marked: Marked, clicks: Clicks, camera: str) -> Fit:
    mine, about = clicks.of(camera), clicks.about(camera)
    (spec,) = (c for c in dataset.observation_spec.cameras if c.name == camera)
    on = about.get("on")
    poses = _poses(dataset, marked, mine, on or marked.link)
    principal = about.get("principal_px")
    known = Known(about.get("focal_px"), None if principal is None else tuple(principal))
    return fit_camera(spec, np.array([[c.u, c.v] for c in mine]), poses if on else marked.positions(poses), on, known)


def _poses(dataset: Dataset, marked: Marked, clicks: Sequence[Click], link: str) -> Array:
    """[N, 4, 4]: of the link in each clicked frame."""
    poses = np.zeros((len(clicks), 4, 4))
    for episode in sorted({c.episode for c in clicks}):
        rows = [i for i, c in enumerate(clicks) if c.episode == episode]
        seen = dataset.episode(episode, images=False, depth=False).observations
        poses[rows] = link_poses(marked, link, seen, dataset)[[clicks[i].frame for i in rows]]
    return poses


def store(dataset: Dataset, marked: Marked, fits: Mapping[str, Fit]) -> Path:
    """Beside the recording, where its reader finds it. Cameras of an earlier calibration stay, if it was of this robot."""
    before = read_calibration(dataset.root)
    kept = () if before is None or before.robot != marked.robot.xml else before.cameras
    cameras = {c.name: c for c in kept} | {name: fit.camera for name, fit in fits.items()}
    about = dict(before.about) if kept and before is not None else {}
    about |= {name: described(fit) for name, fit in fits.items()}
    calibration = Calibration(
        marked.robot.xml, marked.link, marked.point, marked.joints, tuple(cameras.values()), about
    )
    return write_calibration(dataset.root, calibration)


def described(fit: Fit) -> dict[str, Any]:
    """For the record and for the terminal."""
    return {
        "n_clicks": len(fit.kept),
        "n_left_out": int((~fit.kept).sum()),
        "rms_px": fit.rms_px,
        "left_out_rms_px": fit.left_out_rms_px,
        "focal_px": float(fit.camera.intrinsics[0, 0]),
        "position_sd_m": fit.position_sd_m,
    } | ({} if fit.seen is None else {"seen_m": fit.seen.tolist()})


def picture(dataset: Dataset, clicks: Clicks, fits: Mapping[str, Fit], path: Path) -> Path:
    """A PNG of every clicked frame: a cross where the person clicked, a ring where the fitted camera sees the point; red where
    the click was left out."""
    tiles = [
        _tile(dataset, click, fit.pixels[i], bool(fit.kept[i]))
        for camera, fit in fits.items()
        for i, click in enumerate(clicks.of(camera))
    ]
    columns = min(SHEET_COLUMNS, len(tiles))
    width = max(t.width for t in tiles)
    sheet = Image.new("RGB", (columns * width, -(-len(tiles) // columns) * SHEET_HEIGHT), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % columns * width, i // columns * SHEET_HEIGHT))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "PNG")
    return path


def _tile(dataset: Dataset, click: Click, seen: Array, kept: bool) -> Image.Image:
    frame = dataset.episode(click.episode, depth=False).observations.images[click.camera][click.frame]
    scale = SHEET_HEIGHT / frame.shape[0]
    tile = Image.fromarray(frame).resize((round(frame.shape[1] * scale), SHEET_HEIGHT), Image.Resampling.NEAREST)
    draw, r, colour = ImageDraw.Draw(tile), 6, "#E69F00" if kept else "#D55E00"
    u, v = ((x + 0.5) * scale for x in (click.u, click.v))
    draw.line([(u - r, v), (u + r, v)], colour, 2)
    draw.line([(u, v - r), (u, v + r)], colour, 2)
    u, v = ((float(x) + 0.5) * scale for x in seen)
    draw.ellipse([u - r, v - r, u + r, v + r], outline="#56B4E9", width=2)
    draw.text((4, 2), f"{click.camera}, episode {click.episode}, frame {click.frame}", "white")
    return tile
