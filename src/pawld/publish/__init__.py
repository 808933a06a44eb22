"""The release side: keys, records and promotion. No agent module imports it."""
