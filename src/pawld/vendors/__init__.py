"""What the vendors' JSON interfaces share: a small client, one error normaliser, their authentication."""
