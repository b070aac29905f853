"""The video world: all cameras of the next frame at once, from recent frames, the first frame, commands and the pose map."""
