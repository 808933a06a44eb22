"""Run pawld as ``python -m pawld``."""

from pawld.cli.main import script

if __name__ == "__main__":
    script()
