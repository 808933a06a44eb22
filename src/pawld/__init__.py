"""pawld keeps an agent current on the host it runs on, and never leaves the host without a working one."""

__version__ = "0.1.0"
