"""Where the frozen program begins."""

from pawld.cli.main import script

script()
