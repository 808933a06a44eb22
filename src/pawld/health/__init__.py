"""What a new slot must show while it is on probation. Local facts first."""
