"""Where releases and bytes are found. Untrusted: a source locates, it proves nothing."""
