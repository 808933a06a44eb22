"""A rehearsal on this very host: update, failing health, rollback and dead man's switch, in a scratch root."""
