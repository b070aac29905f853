"""`reverie data click` and `reverie data calibrate`: where the cameras of a data set stand, fitted from logged joints and from
pixels that a person clicked.

    reverie data click data/mine --clicks clicks.json --what "the middle between the fingertips"
    reverie data calibrate data/mine --robot arm.urdf --link gripper_tip --clicks clicks.json
    reverie data calibrate data/mine --robot arm.xml --link tcp --joints q1 q2 q3 q4 q5 q6 q7 --clicks clicks.json

A camera stands still, or rides on a link: `--rides wrist=hand` when clicking; then click one and the same thing that stands still.
Calibrated data have `camera_matrices` for every frame, as collected data have; the recording itself is not changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from reverie.annotation.clicking import Clicking
from reverie.calibration.fitting import Fit
from reverie.calibration.robot_file import RobotFile
from reverie.cli.pages import until_finished
from reverie.core import ReverieError
from reverie.data import open_dataset
from reverie.data.calibrate import Marked, fit_cameras, joints_of, picture, store
from reverie.data.clicks import read_clicks


@dataclass(frozen=True)
class ClickOptions:
    """Opens a page in which frames are clicked, one after the other; ends when there are enough, or with Ctrl-C."""

    root: tyro.conf.Positional[Path]
    """The data set's folder."""
    clicks: Path
    """Where clicks are kept; those in it are gone on with."""
    frames: int = 12
    """Clicks for each camera."""
    cameras: tuple[str, ...] = ()
    """Which cameras; all unless given."""
    rides: tuple[str, ...] = ()
    """CAMERA=LINK for cameras that ride on a link of the robot."""
    what: str = "the robot's point"
    """What to click, in words for the page."""
    port: int = 0
    """Of the local page; 0 takes a free one."""


@dataclass(frozen=True)
class CalibrateOptions:
    """Fits every camera that has clicks, and keeps the result in the data set."""

    root: tyro.conf.Positional[Path]
    """The data set's folder."""
    robot: Path
    """The robot as URDF or MJCF."""
    link: str
    """The link, or site, that the clicked point belongs to."""
    clicks: Path
    """JSON of `reverie data click`, or written by hand."""
    joints: tuple[str, ...] = ()
    """Numbers of the data that are the robot's joints from the base to that link, in order, or one extra that holds all; by the
    robot's own names unless given."""
    degrees: bool = False
    """The data have joints in degrees."""
    point: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """The clicked point in the link's frame, in metres."""
    picture: Path | None = None
    """Where the picture of clicked and reprojected points goes; beside the clicks unless given."""


def click(arguments: Sequence[str]) -> None:
    options = tyro.cli(ClickOptions, args=list(arguments), prog="reverie data click", description=__doc__)
    pairs = [text.partition("=") for text in options.rides]
    if wrong := ["".join(pair) for pair in pairs if not (pair[0] and pair[2])]:
        raise ReverieError(f"--rides {wrong[0]}: expected CAMERA=LINK")
    rides = {camera: link for camera, _, link in pairs}
    dataset = open_dataset(options.root)
    until_finished({"click": Clicking(dataset, options.clicks, options.frames, options.cameras, rides, options.what)}, options.port)  # fmt: skip
    print(options.clicks)


def calibrate(arguments: Sequence[str]) -> None:
    options = tyro.cli(CalibrateOptions, args=list(arguments), prog="reverie data calibrate", description=__doc__)
    dataset, robot = open_dataset(options.root), RobotFile.load(options.robot)
    clicks = read_clicks(options.clicks)
    joints = joints_of(robot, options.link, options.joints, dataset, options.degrees)
    marked = Marked(robot, options.link, joints, options.point)
    fits = fit_cameras(dataset, marked, clicks, options.clicks)
    shown = picture(dataset, clicks, fits, options.picture or options.clicks.with_suffix(".png"))
    stored = store(dataset, marked, fits)
    Console().print(table(fits))
    for name, fit in fits.items():
        if fit.is_vague:
            how = "the hand is tilted otherwise" if fit.camera.on else "the robot is at other depths"
            print(f"{name}: how far away it stands is hardly known, though what it saw is drawn right; click frames in which {how}, "
                  "or give its focal_px in the clicks file")  # fmt: skip
    uncalibrated = [c for c in dataset.observation_spec.camera_names if c not in fits]
    if uncalibrated:
        print(f"not clicked: {', '.join(uncalibrated)}")
    print(f"{shown}\n{stored}")


def table(fits: dict[str, Fit]) -> Table:
    """A row for each camera. Errors are root mean squares, in pixels."""
    found = Table(title="cameras")
    for name in ("camera", "clicks", "left out", "error", "error of a click left out of the fit", "focal length", "place known to"):  # fmt: skip
        found.add_column(name)
    for name, fit in fits.items():
        n_kept, focal = int(fit.kept.sum()), float(fit.camera.intrinsics[0, 0])
        errors = (f"{fit.rms_px:.2f} px, n = {n_kept}", f"{fit.left_out_rms_px:.2f} px, n = {n_kept}")
        sd = f"{fit.position_sd_m * 100:.1f} cm"
        found.add_row(name, str(len(fit.kept)), str(len(fit.kept) - n_kept), *errors, f"{focal:.0f} px", sd)
    return found
