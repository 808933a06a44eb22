"""From proven bytes to a complete slot, and the one pointer that is moved."""
