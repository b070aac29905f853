"""Rotations against SciPy and against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from reverie.core import rotations as r

angles = st.floats(-3.1, 3.1)
vectors = st.tuples(angles, st.floats(-1.5, 1.5), angles)


def test_golden_quarter_turn_about_z() -> None:
    half = np.sqrt(0.5)
    matrix = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(r.quat_to_matrix(np.array([half, 0, 0, half])), matrix, atol=1e-12)
    np.testing.assert_allclose(r.rpy_to_matrix(np.array([0, 0, np.pi / 2])), matrix, atol=1e-12)
    np.testing.assert_allclose(r.rotvec_to_matrix(np.array([0, 0, np.pi / 2])), matrix, atol=1e-12)
    np.testing.assert_allclose(r.matrix_to_rot6d(matrix), [0, 1, 0, -1, 0, 0])


@settings(deadline=None, max_examples=50)
@given(vectors)
def test_agrees_with_scipy(rpy: tuple[float, float, float]) -> None:
    theirs = Rotation.from_euler("xyz", rpy)
    matrix = r.rpy_to_matrix(np.array(rpy))
    np.testing.assert_allclose(matrix, theirs.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(r.matrix_to_rpy(matrix), theirs.as_euler("xyz"), atol=1e-6)
    np.testing.assert_allclose(r.rotvec_to_matrix(r.matrix_to_rotvec(matrix)), matrix, atol=1e-9)
    np.testing.assert_allclose(r.quat_to_matrix(r.matrix_to_quat(matrix)), matrix, atol=1e-9)
    np.testing.assert_allclose(r.rot6d_to_matrix(r.matrix_to_rot6d(matrix)), matrix, atol=1e-9)


def test_batched_shapes_and_half_turns() -> None:
    half_turns = np.stack([r.rotvec_to_matrix(np.pi * axis) for axis in np.eye(3)])
    for back in (r.matrix_to_quat(half_turns), r.matrix_to_rotvec(half_turns)):
        assert np.isfinite(back).all()
    np.testing.assert_allclose(r.quat_to_matrix(r.matrix_to_quat(half_turns)), half_turns, atol=1e-9)
    assert r.rpy_to_matrix(np.zeros((4, 5, 3))).shape == (4, 5, 3, 3)


def test_antipodes_are_one_rotation() -> None:
    quat = np.array([-0.5, 0.5, -0.5, 0.5])
    np.testing.assert_allclose(r.quat_canonical(quat), r.quat_canonical(-quat))


def test_gimbal_lock_keeps_the_rotation() -> None:
    matrix = r.rpy_to_matrix(np.array([0.3, np.pi / 2, -0.4]))
    np.testing.assert_allclose(r.rpy_to_matrix(r.matrix_to_rpy(matrix)), matrix, atol=1e-7)


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4)])
def test_quaternions_of_any_leading_shape(shape: tuple[int, ...]) -> None:
    quat = np.random.default_rng(0).normal(size=shape)
    assert r.quat_to_matrix(quat).shape == (*shape[:-1], 3, 3)
