"""Where a robot's cameras stand: fitted from its kinematics, given as a file, and from pixels in which a person saw it."""
