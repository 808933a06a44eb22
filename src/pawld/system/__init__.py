"""The operating system: durable files, processes, HTTP, the clock and the platform."""
