"""Patches made at ingest: from builds that hosts have to the one that comes, kept where they save enough."""
