"""What happened, told to logs, metrics and webhooks in the same words."""
