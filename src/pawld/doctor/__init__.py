"""What ails this host: one small function a check, each answering with evidence and with what would mend it.

No check changes the agent or what is known of it, and none fails: what it cannot find out is a finding too.
"""
