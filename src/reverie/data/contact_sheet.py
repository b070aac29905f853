"""A contact sheet: one picture from which a person sees whether cameras, colours, order and labels are right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reverie.core import Episode, ReverieError
from reverie.data.lerobot_reader import Dataset

TILE_HEIGHT = 96
GAP = 2
TITLE_HEIGHT = 16
_OUTCOMES = {True: "success", False: "failure", None: "unlabelled"}


def contact_sheet(dataset: Dataset, path: Path | str, episodes: Sequence[int] | None = None, frames: int = 6) -> Path:
    """A PNG: a block of rows per episode, one row per camera, `frames` frames evenly over time (first and last included).

    Above each block: number, instruction, outcome, source. Under each frame: time and, where there is a gripper, its
    opening. episodes: numbers; the first eight by default.
    """
    path = Path(path)
    chosen = list(range(min(8, len(dataset)))) if episodes is None else list(episodes)
    if not chosen or frames < 1:
        raise ReverieError(f"contact sheet of {len(chosen)} episodes and {frames} frames: give at least one of each")
    blocks = [_block(dataset.episode(index, depth=False), index, frames) for index in chosen]
    sheet = Image.new("RGB", (max(b.width for b in blocks), sum(b.height for b in blocks)), "white")
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "PNG")
    return path


def _block(episode: Episode, index: int, n_frames: int) -> Image.Image:
    picked = np.unique(np.linspace(0, episode.n_frames - 1, n_frames).round().astype(int))
    rows = [_row(episode, camera, picked) for camera in episode.observations.images]
    width = max([row.width for row in rows] + [TILE_HEIGHT])
    block = Image.new("RGB", (width, sum(row.height for row in rows) + 2 * TITLE_HEIGHT), "white")
    draw = ImageDraw.Draw(block)
    _text(draw, 0, 1, _title(episode, index))
    top = TITLE_HEIGHT
    for row in rows:
        block.paste(row, (0, top))
        top += row.height
    step = width // len(picked)
    for column, f in enumerate(picked.tolist()):
        _text(draw, column * step, top, _caption(episode, f))
    return block


def _row(episode: Episode, camera: str, picked: Any) -> Image.Image:
    images = [_tile(episode.observations.images[camera][f]) for f in picked.tolist()]
    width = images[0].width + GAP
    row = Image.new("RGB", (max(width * len(images), TILE_HEIGHT * len(images)), TILE_HEIGHT + GAP), "white")
    for column, image in enumerate(images):
        row.paste(image, (column * width, 0))
    _text(ImageDraw.Draw(row), 2, 1, camera, fill="yellow")
    return row


def _tile(image: Any) -> Image.Image:
    """To one height; small frames by whole pixels, as interpolation would hide what is stored."""
    height, width = image.shape[:2]
    method = Image.Resampling.NEAREST if height < TILE_HEIGHT else Image.Resampling.BOX
    return Image.fromarray(image).resize((round(width * TILE_HEIGHT / height), TILE_HEIGHT), method)


def _title(episode: Episode, index: int) -> str:
    source = episode.provenance.get("source_id") or episode.provenance.get("source") or ""
    return f"{index}: {episode.instruction or '(no instruction)'} | {_OUTCOMES[episode.success]} | {source}"


def _caption(episode: Episode, frame: int) -> str:
    seen, spec = episode.observations, episode.observation_spec
    text = f"{seen.time_s[frame]:.1f}s"
    for names, values in ((spec.measured, seen.measured), (spec.commanded, seen.commanded)):
        if values is not None and "gripper" in names:
            return f"{text} open {values[frame, names.index('gripper')]:.2f}"
    return text


def _text(draw: ImageDraw.ImageDraw, x: int, y: int, text: str, fill: str = "black") -> None:
    plain = text.encode("latin-1", "replace").decode("latin-1")  # the built-in font has no more letters
    draw.text((x, y), plain, fill=fill, font=ImageFont.load_default(11))
