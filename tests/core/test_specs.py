"""Specs say what numbers mean: nothing that is none of the known words passes, and the message names file and entry."""

from dataclasses import replace

import pytest

from reverie.core import ActionSpec, CameraSpec, ObservationSpec, ReverieError
from reverie.core.fakes.specs import ACTION_SPEC, OBSERVATION_SPEC

WHERE = "d/info.json, action_spec"


@pytest.mark.parametrize("spec", [ACTION_SPEC, OBSERVATION_SPEC])
def test_specs_survive_json(spec):
    assert type(spec).from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gripper": "closed1"}, "gripper is 'closed1', expected one of 'none', 'closed0_open1'"),
        ({"modes": ("absolut", "delta", "delta")}, "modes is 'absolut', expected one of 'absolute'"),
        ({"frame": "world"}, "frame is 'world'"),
        ({"rotation": None}, "rotation is None"),
        ({"control_hz": float("inf")}, "control_hz is inf"),
        ({"control_hz": float("nan")}, "control_hz is nan"),
        ({"control_hz": "10"}, "control_hz is '10'"),
        ({"names": "xyz"}, "names is 'xyz', expected a list"),
        ({"names": ("x", "x", "y")}, "names something twice"),
        ({"units": ("m",)}, "expected one entry for each"),
        ({"low": (0.0, float("-inf"), 0.0)}, "low is .*finite"),
        ({"high": 3.0}, "high is 3.0"),
    ],
)
def test_an_action_spec_holds_only_what_is_known(changes, message):
    with pytest.raises(ReverieError, match=message):
        replace(ACTION_SPEC, **changes)
    as_json = {k: list(v) if isinstance(v, tuple) else v for k, v in changes.items()}
    with pytest.raises(ReverieError, match=f"^{WHERE}: ActionSpec"):
        ActionSpec.from_dict({**ACTION_SPEC.to_dict(), **as_json}, WHERE)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({**ACTION_SPEC.to_dict(), "control_rate": 3}, f"{WHERE}: 'control_rate'; did you mean 'control_hz'"),
        ({"names": ["x"]}, f"{WHERE}: found no units, modes"),
        ([], rf"{WHERE}: found \[\], expected an object"),
        (None, f"{WHERE}: found None"),
    ],
)
def test_unknown_and_missing_entries_are_named(value, message):
    with pytest.raises(ReverieError, match=message):
        ActionSpec.from_dict(value, WHERE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cameras": [{"name": "a", "height": 3}]}, r"d.json, cameras\[0\]: found no width"),
        ({"cameras": [{"name": "a", "height": 3, "width": "4"}]}, r"d.json, cameras\[0\]: CameraSpec.width is '4'"),
        ({"cameras": 5}, "d.json: ObservationSpec.cameras is 5"),
        ({"frame_every": 0}, "d.json: ObservationSpec.frame_every is 0"),
        ({"n_obs_steps": 1.5}, "n_obs_steps is 1.5"),
        ({"commanded": [1, 2]}, "commanded is .* expected a list of strings"),
        ({"padding": "zero"}, "padding is 'zero'"),
    ],
)
def test_an_observation_spec_holds_only_what_is_known(changes, message):
    with pytest.raises(ReverieError, match=message):
        ObservationSpec.from_dict({**OBSERVATION_SPEC.to_dict(), **changes}, "d.json")


def test_an_observation_spec_needs_its_cameras():
    value = {k: v for k, v in OBSERVATION_SPEC.to_dict().items() if k != "cameras"}
    with pytest.raises(ReverieError, match=r"d.json: found no cameras"):
        ObservationSpec.from_dict(value, "d.json")
    with pytest.raises(ReverieError, match="height is 0"):
        CameraSpec("a", 0, 3)
