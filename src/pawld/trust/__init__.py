"""What proves a record and the bytes. Bytes from anywhere, trust from signed metadata."""
