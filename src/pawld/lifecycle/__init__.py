"""The life of one update: states, decisions, journal, cycle, recovery. It knows no adapter."""
