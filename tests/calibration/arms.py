"""The tabletop's arm as the files that a stranger would bring: MJCF with its shapes, and URDF with a mesh that is not there."""

from pathlib import Path

import numpy as np

from reverie.embodiments import panda_model
from reverie.embodiments.panda_kinematics import _DH, FLANGE_M, TCP_M


def write_mjcf(path: Path) -> Path:
    path.write_text(f"""<mujoco model="arm"><compiler angle="degree" autolimits="true"/>
<default>{panda_model.DEFAULTS}</default><worldbody>{panda_model.fixed_cameras()}{panda_model.robot_body()}</worldbody>
<actuator>{panda_model.ACTUATORS}</actuator></mujoco>""")
    return path


def write_urdf(path: Path) -> Path:
    """From the published Denavit-Hartenberg parameters, Craig's convention."""
    mesh = '<visual><geometry><mesh filename="package://arm/meshes/link.stl"/></geometry></visual>'
    parts = [f'<link name="link{i}">{mesh}</link>' for i in range(8)]
    for i, (a, alpha, d) in enumerate(_DH):
        origin = f"{a} {-np.sin(alpha) * d} {np.cos(alpha) * d}"
        parts.append(_joint(f"joint{i + 1}", "revolute", f"link{i}", f"link{i + 1}", origin, f"{alpha} 0 0"))
    parts += [
        '<link name="tip"/>',
        _joint("flange", "fixed", "link7", "tip", f"0 0 {FLANGE_M + TCP_M}", f"0 0 {-np.pi / 4}"),
    ]
    path.write_text(f'<robot name="arm">{"".join(parts)}</robot>')
    return path


def _joint(name, kind, parent, child, xyz, rpy):
    limit = '<axis xyz="0 0 1"/><limit lower="-3" upper="4" effort="80" velocity="2"/>' if kind == "revolute" else ""
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{xyz}" rpy="{rpy}"/>{limit}</joint>'
    )
