"""A person drives the robot in a world, by keyboard in a browser on this machine; what was driven is saved as episodes."""
