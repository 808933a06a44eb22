"""How long a TUF document may be, as publishers and hosts agree on it."""

MOST_METADATA = 1024 * 1024  # bytes of one document that a host reads, unless trust.max_metadata allows more
