"""Who may change a file of Windows beside its administrators: what the mode says of a file elsewhere.

Rights that an administrator gave to an account of his choice are his business. Rights of everybody, and of whoever made
the file before us, are not: an owner may give himself every right.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pawld.values import dataclass

CHANGE = 0x2 | 0x4 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
"""Rights to a file, or directly in a directory: write, append or make, delete, its access list, its owner; generic."""

REPLACE = 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000
"""Rights to a directory by which what is in it can be made another: as above, without making what is new."""

_EVERYBODY: Mapping[str, str] = MappingProxyType(
    {
        "S-1-1-0": "everyone",
        "S-1-5-4": "every user at its keyboard",
        "S-1-5-7": "the anonymous user",
        "S-1-5-11": "every user who has logged on",
        "S-1-5-32-545": "every user",
        "S-1-5-32-546": "every guest",
    }
)
_TRUSTED = (
    "S-1-5-18",  # SYSTEM
    "S-1-5-32-544",  # administrators
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # TrustedInstaller
)


@dataclass(frozen=True, slots=True)
class Access:
    """Who owns a file, and what it grants to whom, by their SIDs; no list at all grants everything to everyone."""

    owner: str
    granted: tuple[tuple[str, int], ...] | None


def stranger(access: Access, rights: int, ourselves: str) -> str | None:
    """Return who else has any of these rights, in words; None where nobody has that matters."""
    if access.owner not in (*_TRUSTED, ourselves):
        return f"its owner, {access.owner}"
    if access.granted is None:
        return _EVERYBODY["S-1-1-0"]
    return next((_EVERYBODY[who] for who, what in access.granted if who in _EVERYBODY and what & rights), None)


def who_may(path: Path, rights: int) -> str | None:
    """Return who else has these rights to *path*, as above; None on another system, and where it cannot be asked."""
    if sys.platform != "win32":
        return None
    return _asked(path, rights)


def _asked(path: Path, rights: int) -> str | None:  # pragma: no cover - runs under Wine, where no coverage is taken
    import pywintypes  # noqa: PLC0415 - Windows alone has these
    import win32api  # noqa: PLC0415
    import win32con  # noqa: PLC0415
    import win32security as api  # noqa: PLC0415

    try:
        kinds = api.OWNER_SECURITY_INFORMATION | api.DACL_SECURITY_INFORMATION
        found = api.GetNamedSecurityInfo(str(path), api.SE_FILE_OBJECT, kinds)
        token = api.OpenProcessToken(win32api.GetCurrentProcess(), win32con.TOKEN_QUERY)
        ourselves = api.GetTokenInformation(token, api.TokenUser)[0]
    except pywintypes.error:
        return None
    entries = found.GetSecurityDescriptorDacl()
    granted = None
    if entries is not None:
        each = [entries.GetAce(number) for number in range(entries.GetAceCount())]
        # A kind of 0 allows. One that is only handed on to what is made inside says nothing of the directory itself.
        granted = tuple(
            (api.ConvertSidToStringSid(who), what & 0xFFFFFFFF)
            for (kind, flags), what, who in each
            if kind == 0 and not flags & api.INHERIT_ONLY_ACE
        )
    owner = api.ConvertSidToStringSid(found.GetSecurityDescriptorOwner())
    return stranger(Access(owner, granted), rights, api.ConvertSidToStringSid(ourselves))
