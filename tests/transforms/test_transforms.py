"""The list of transforms: order, inverse, and the same list after a round trip through JSON."""

import json

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.core.rotations import matrix_to_quat, rpy_to_matrix
from reverie.transforms import (
    TRANSFORMS,
    ImagesToFloat,
    LowerText,
    NormalizeActions,
    NormalizeState,
    Pipeline,
    ResizeImages,
    StateQuaternionTo6d,
)

rng = np.random.default_rng(0)


def _batch() -> dict[str, object]:
    quat = matrix_to_quat(rpy_to_matrix(rng.uniform(-1, 1, (2, 1, 3))))
    state = np.concatenate([rng.normal(size=(2, 1, 3)), quat, rng.uniform(size=(2, 1, 1))], -1).astype(np.float32)
    return {
        "images.top": rng.integers(0, 256, (2, 1, 8, 12, 3)).astype(np.uint8),
        "state": state,
        "actions": rng.normal(size=(2, 5, 2)).astype(np.float32),
        "instructions": ["  Put it THERE. ", "go"],
        "flag": np.array([True, False]),
    }


def _pipeline() -> Pipeline:
    return Pipeline(
        (
            LowerText(),
            ResizeImages(4, 4),
            ImagesToFloat(),
            StateQuaternionTo6d(3),
            NormalizeState((0.1,) * 10, (2.0,) * 10),
            NormalizeActions((0.5, -1.0), (0.1, 3.0)),
        )
    )


def test_what_the_model_gets() -> None:
    out = _pipeline().apply(_batch())
    assert out["images.top"].shape == (2, 1, 4, 4, 3)
    assert out["images.top"].dtype == np.float32
    assert -1 <= out["images.top"].min() < out["images.top"].max() <= 1
    assert out["state"].shape == (2, 1, 10)
    assert out["instructions"] == ["put it there", "go"]
    assert out["flag"].tolist() == [True, False]


def test_actions_come_back() -> None:
    batch, pipeline = _batch(), _pipeline()
    back = pipeline.invert({"actions": pipeline.apply(batch)["actions"]})
    np.testing.assert_allclose(back["actions"], batch["actions"], atol=1e-5)


def test_the_same_list_after_json() -> None:
    pipeline = _pipeline()
    again = Pipeline.from_list(json.loads(json.dumps(pipeline.to_list())))
    assert again == pipeline
    assert {t.name for t in pipeline.transforms} == set(TRANSFORMS)


def test_black_and_white() -> None:
    images = np.array([0, 255], np.uint8).reshape(1, 1, 1, 2, 1).repeat(3, -1)
    assert ImagesToFloat().apply({"images.a": images})["images.a"][0, 0, 0, :, 0].tolist() == [-1, 1]


def test_q_and_minus_q_are_one_state() -> None:
    batch = _batch()
    turned = dict(batch)
    turned["state"] = batch["state"] * np.float32([1, 1, 1, -1, -1, -1, -1, 1])  # type: ignore[operator]
    step = StateQuaternionTo6d(3)
    np.testing.assert_allclose(step.apply(batch)["state"], step.apply(turned)["state"], atol=1e-6)


def test_a_state_far_outside_is_limited() -> None:
    out = NormalizeState((0.0,), (0.02,)).apply({"state": np.array([[[9.0]]], np.float32)})
    assert out["state"].item() == 5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"name": "resize_image", "height": 1, "width": 1}], "resize_images"),
        ([{"name": "resize_images", "high": 1}], "resize_images"),
        ([{"name": "normalize_state", "offset": [0.0]}], "normalize_state"),
    ],
)
def test_a_list_that_cannot_be_read(value: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ReverieError, match=message):
        Pipeline.from_list(value)


def test_what_is_no_transform_is_named_with_its_file() -> None:
    with pytest.raises(ReverieError, match=r"c.json: found the transform 'x'"):
        Pipeline.from_list(["x"], "c.json")  # type: ignore[list-item]
    with pytest.raises(ReverieError, match=r"unknown transform in c.json 'resize'; did you mean 'resize_images'"):
        Pipeline.from_list([{"name": "resize"}], "c.json")
    with pytest.raises(ReverieError, match=r"c\.json: transform 'resize_images' cannot be read"):
        Pipeline.from_list([{"name": "resize_images", "heigth": 3}], "c.json")
