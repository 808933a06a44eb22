"""Documents on the wire, read and written in one place."""
