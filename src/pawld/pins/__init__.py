"""Who says which version this host shall run, when it is not the channel."""
