"""Robots: kinematics, limits, cameras with calibration, how commands are integrated and how the robot is drawn."""
