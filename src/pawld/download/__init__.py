"""The byte mover: redirects followed by hand, resumed, limited, and never trusted."""
