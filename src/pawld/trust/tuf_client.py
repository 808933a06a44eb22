"""python-tuf's client without the HTTP library that it would load for itself, since it is always given ours.

urllib3 costs a start 20 ms and every cycle 4 MB. A stand-in takes its place while the client is imported; whoever does
want python-tuf's own fetcher in the same process gets it, loaded then.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_FETCHER = "tuf.ngclient.urllib3_fetcher"


class _Urllib3Fetcher:
    """Makes the real one."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        sys.modules.pop(_FETCHER, None)
        return import_module(_FETCHER).Urllib3Fetcher(*arguments, **named)


if _FETCHER not in sys.modules:
    _stand_in = ModuleType(_FETCHER)
    vars(_stand_in)["Urllib3Fetcher"] = _Urllib3Fetcher
    sys.modules[_FETCHER] = _stand_in
    _put = True
else:
    _put = False

from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig  # noqa: E402 - after the stand-in is in its place

if _put:
    del sys.modules[_FETCHER]

__all__ = ["FetcherInterface", "Updater", "UpdaterConfig"]
