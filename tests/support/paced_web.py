"""A program: serves DIRECTORY on PORT of loopback, pausing after each block for as many seconds as the file PACE says.

python paced_web.py DIRECTORY PORT PACE
"""

import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_BLOCK = 16 * 1024


class Handler(SimpleHTTPRequestHandler):
    pace = Path()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        while block := source.read(_BLOCK):
            outputfile.write(block)
            time.sleep(float(self.pace.read_text() or 0))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing."""


if __name__ == "__main__":
    directory, port, pace = sys.argv[1:]
    Handler.pace = Path(pace)
    ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Handler, directory=directory)).serve_forever()
