"""Augmented sequences: all frames of one alike, nothing else touched, the same again after a kill."""

import numpy as np
import pytest
import torch

from reverie.training.augmentation import Augmentation, Augmented


class Fixed:
    """A source of one batch: two sequences of 3 frames in 2 views, and commands."""

    fingerprint = "fixed"

    def batch(self, step, size):
        frames = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (size, 3, 2, 3, 16, 16), dtype=np.uint8))
        frames[:, 1:] = frames[:, :1]
        return {"last": frames[:, 0], "targets": frames, "actions": torch.ones(size, 3, 1, 7)}

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


def test_its_settings_are_in_the_fingerprint():
    prints = {Augmented(Fixed(), Augmentation(shift_px=p), s).fingerprint for p in (0, 1) for s in (0, 1)}
    assert len(prints) == 4
