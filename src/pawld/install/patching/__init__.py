"""Slots out of patches: what did not change is taken from a slot that stands here, the rest is made in a child process.

A patch was proven to be the one that the record names before a byte of it is read here. Even so its numbers are held
in bounds, its differences are applied by a process that has memory and time taken from it, and what comes out is
nothing until it has the digest of the very build. Files are copied or cloned from the other slot, never hard-linked:
an agent that writes into its own files must not reach those of another version.
"""
