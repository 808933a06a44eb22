"""Walls: children that read what strangers sent, as a user who may do nothing, and tell root what they read.

A child is started as root, loads what it needs, gives up everything (``inside``), and is looked at from outside before
it is sent a byte. It writes no file: what it makes of its input goes back over one socket, in frames (``channel``), to
a parent that believes none of it. So there is nothing that it could change after root has looked.
"""

from pawld.system.walls.channel import BrokenChannelError, Channel
from pawld.system.walls.child import Child, bare_environment, reader_failed
from pawld.system.walls.walls import USER, Walls, walls_for

__all__ = ["USER", "BrokenChannelError", "Channel", "Child", "Walls", "bare_environment", "reader_failed", "walls_for"]
