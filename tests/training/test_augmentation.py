"""Augmented sequences: all frames of one alike, nothing else touched, the same again after a kill."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reverie.training.augmentation import Augmentation, Augmented


class Fixed:
    """A source of one batch: two sequences of 3 frames in 2 views, and commands."""

    fingerprint = "fixed"

    def batch(self, step, size, rows=slice(None)):
        frames = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (size, 3, 2, 3, 16, 16), dtype=np.uint8))
        frames[:, 1:] = frames[:, :1]
        batch = {"last": frames[:, 0], "targets": frames, "actions": torch.ones(size, 3, 1, 7)}
        return {k: v[rows] for k, v in batch.items()}

    def validation(self):
        return {"held_out": [self.batch(0, 2)]}


def test_frames_of_a_sequence_are_changed_alike_and_sequences_differently():
    batch = Augmented(Fixed(), Augmentation(), 0).batch(3, 2)
    plain = Fixed().batch(3, 2)
    assert not torch.equal(batch["last"], plain["last"])
    for i in range(3):
        assert torch.equal(batch["targets"][:, i], batch["last"])
    assert torch.equal(batch["actions"], plain["actions"])
    again = Augmented(Fixed(), Augmentation(), 0)
    assert torch.equal(again.batch(3, 2)["last"], batch["last"])
    assert not torch.equal(again.batch(4, 2)["last"], batch["last"])
    assert torch.equal(again.validation()["held_out"][0]["last"], plain["last"])


@pytest.mark.parametrize("shift", [0, 4])
def test_a_shift_moves_every_view_and_repeats_borders(shift):
    config = Augmentation(shift_px=shift, gain=0, offset=0, swap=0)
    plain, batch = Fixed().batch(0, 2)["last"], Augmented(Fixed(), config, 1).batch(0, 2)["last"]
    if not shift:
        assert torch.equal(batch, plain)
        return
    found = []
    for view in range(2):
        for down in range(-shift, shift + 1):
            for right in range(-shift, shift + 1):
                rows, columns = (torch.arange(16) - d for d in (down, right))
                moved = plain[0, view][:, rows.clamp(0, 15)][..., columns.clamp(0, 15)]
                found += [(view, down, right)] if torch.equal(moved, batch[0, view]) else []
    assert [view for view, *_ in found] == [0, 1]


class Windows:
    """A source of observation windows: two cameras of different sizes, one bright pixel in each, supervised."""

    fingerprint = "windows"

    def batch(self, step, size, rows=slice(None)):
        batch = {
            "images.top": torch.full((size, 2, 16, 16, 3), -1.0),
            "images.wrist": torch.full((size, 2, 16, 32, 3), -1.0),
        }
        points = torch.zeros(size, 4, 2, 2)
        for view, name in enumerate(("images.top", "images.wrist")):
            height, width = batch[name].shape[2:4]
            batch[name][:, :, 5, 9] = 1.0
            for time in range(2):  # the views of one time side by side
                points[:, 2 * time + view] = torch.tensor([9.5 / width, 5.5 / height])
        inside = torch.ones(size, 4, 2, dtype=torch.bool)
        inside[:, :, 1] = False
        batch |= {"slot_points": points * inside[..., None], "slot_inside": inside}
        return {k: v[rows] for k, v in batch.items()}

    def validation(self):
        return {}


def test_points_move_with_their_pictures():
    shift = Augmentation(shift_px=8, gain=0, offset=0, swap=0)
    batch = Augmented(Windows(), shift, 0).batch(1, 64)
    gone = 0
    for view in range(4):
        images = batch[("images.top", "images.wrist")[view % 2]][:, view // 2]
        height, width = images.shape[1:3]
        for image, point, inside in zip(
            images, batch["slot_points"][:, view, 0], batch["slot_inside"][:, view, 0], strict=True
        ):
            if inside:
                u, v = (point * torch.tensor([width, height])).tolist()
                assert image[int(v), int(u)].tolist() == [1, 1, 1]
            else:
                gone += 1
                assert point.tolist() == [0, 0]
                assert image.max() == -1
    assert 0 < gone < 128
    assert not batch["slot_inside"][:, :, 1].any()  # what was outside stays outside


def test_both_frames_of_a_window_are_seen_alike():
    batch = Augmented(Windows(), Augmentation(blur_px=1.0), 0).batch(0, 8)
    for name in ("images.top", "images.wrist"):
        assert torch.equal(batch[name][:, 0], batch[name][:, 1])
        assert batch[name].min() >= -1
        assert batch[name].max() <= 1


def test_blur_keeps_the_brightness_and_noise_its_strength():
    plain, still = Windows().batch(0, 16), Augmentation(0, 0, 0, 0)
    blurred = Augmented(Windows(), replace(still, blur_px=2.0), 0).batch(0, 16)
    change = (blurred["images.top"] + 1).sum((1, 2, 3, 4)) / (plain["images.top"] + 1).sum((1, 2, 3, 4))
    assert change.max() == pytest.approx(1, abs=1e-3)
    assert change.min() > 0.9  # a wide blur beside a border
    assert (blurred["images.top"].amax((1, 2, 3, 4)) < 0.9).any()
    middle = {"top": torch.full((400, 1, 1, 3, 8, 8), 128, dtype=torch.uint8)}
    grey = SimpleNamespace(batch=lambda *_: middle, fingerprint="grey")
    noisy = Augmented(grey, replace(still, noise=20.0), 0).batch(0, 400)["top"].float()
    assert noisy.std((1, 2, 3, 4, 5)).max() == pytest.approx(20, abs=2)
    assert noisy.std() == pytest.approx(20 / 3**0.5, rel=0.1)  # uniform between 0 and 20


def test_a_share_of_the_rows_is_that_share():
    for source in (Windows(), Fixed()):
        augmented = Augmented(source, Augmentation(blur_px=1.0, noise=9.0), 3)
        whole, half = augmented.batch(2, 4), augmented.batch(2, 4, slice(2, 4))
        assert all(torch.equal(v[2:], half[k]) for k, v in whole.items())


def test_its_settings_are_in_the_fingerprint():
    prints = {Augmented(Fixed(), Augmentation(shift_px=p), s).fingerprint for p in (0, 1) for s in (0, 1)}
    assert len(prints) == 4
