"""Whether a slot's programs are made for this host, read from their headers before anything is run.

The rules, for what real builds carry:

- The entrypoint has to be native: this system, this CPU, this libc (or none). A script is taken as it is.
- Programs and libraries beside the entrypoint, in its directory, have to be runnable: native, or a 32-bit one on a
  64-bit x86 host, or one that Rosetta 2 or Windows on ARM translates.
- Elsewhere, foreign programs are passengers: Python's setuptools carries launchers for three CPUs, Node modules carry
  prebuilt binaries for every system. But where no entrypoint is known, or it is a script, and native code is there at
  all, some of it has to be runnable here.

Only the entrypoint, files with an executable bit, ``.exe`` and ``.dll`` are looked at.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.executables import elf, macho, pe
from pawld.install.executables.native import ANY, Native, ReadAt
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.faults import host_faults

__all__ = ["Native", "check_executables", "platforms_of"]

_LOOKED_AT = (".exe", ".dll")
_WINDOWS_SCRIPTS = (".bat", ".cmd", ".ps1")

_TRANSLATED = {
    ("linux", "x86_64"): {"x86"},
    ("windows", "x86_64"): {"x86"},
    ("windows", "arm64"): {"x86", "x86_64"},
    ("macos", "arm64"): {"x86_64"},
}
"""The foreign CPUs that a system runs, with its usual means, beside its own."""


def platforms_of(program: Path | bytes) -> frozenset[Native] | None:
    """Return what *program* is made for, from its file or its first bytes; None for scripts and data."""
    if isinstance(program, bytes):
        return _platforms(lambda offset, count: program[offset : offset + count])
    with program.open("rb", buffering=0) as file:
        size = file.seek(0, 2)

        def read(offset: int, count: int) -> bytes:
            if offset >= size:  # a header may lie beyond what seek takes
                return b""
            file.seek(offset)
            return file.read(count)

        return _platforms(read)


def check_executables(slot: Path, files: Iterable[FileEntry], entrypoint: str | None, platform: Platform) -> None:
    """Check the programs among *files* of the slot at *slot* by the rules above.

    ``RejectedError`` (wrong_executable) names the file, what it is, and what the host is.
    """
    looked_at = {one.path: one for one in files if _is_program(one, entrypoint)}
    with host_faults("Looking at the build's programs"):
        found = {path: platforms_of(slot / path) for path in looked_at}
        if entrypoint is not None:
            _check_entrypoint(slot, looked_at.get(entrypoint), entrypoint, found.get(entrypoint), platform)
    natives = {path: made_for for path, made_for in found.items() if made_for}
    if entrypoint is not None:
        _check_neighbours(natives, entrypoint, platform)
    if entrypoint is None or not found[entrypoint]:
        _check_some_run(natives, platform)


def _is_program(entry: FileEntry, entrypoint: str | None) -> bool:
    return entry.path == entrypoint or bool(entry.mode & 0o111) or entry.path.lower().endswith(_LOOKED_AT)


def _platforms(read: ReadAt) -> frozenset[Native] | None:
    magic = read(0, 4)
    if magic == elf.MAGIC:
        return elf.read_elf(read)
    if magic[:2] == pe.MAGIC:
        return pe.read_pe(read)
    return macho.read_macho(read) if magic in macho.MAGICS else None


def _check_entrypoint(
    slot: Path, entry: FileEntry | None, entrypoint: str, made_for: frozenset[Native] | None, platform: Platform
) -> None:
    if entry is None:
        raise _wrong(f"The build has no file {entrypoint!a}, which its record names as the entrypoint.")
    if platform.os != "windows" and not entry.mode & 0o111:
        raise _wrong(f"The build's entrypoint {entrypoint!a} is not marked as executable.")
    if made_for is None and not _is_script(slot / entrypoint):
        raise _wrong(f"The build's entrypoint {entrypoint!a} is neither a program of a known kind nor a script.")
    if made_for and not any(_native(one, platform) for one in made_for):
        raise _mismatch("entrypoint", entrypoint, made_for, platform)


def _check_neighbours(natives: dict[str, frozenset[Native]], entrypoint: str, platform: Platform) -> None:
    directory = PurePosixPath(entrypoint).parent
    for path, made_for in natives.items():
        ours = [one for one in made_for if one.os == platform.os]
        if PurePosixPath(path).parent == directory and ours and not _runnable(made_for, platform):
            raise _mismatch("program", path, made_for, platform)


def _check_some_run(natives: dict[str, frozenset[Native]], platform: Platform) -> None:
    if natives and not any(_runnable(made_for, platform) for made_for in natives.values()):
        path, made_for = next(iter(natives.items()))
        raise _mismatch("program", path, made_for, platform)


def _runnable(made_for: frozenset[Native], platform: Platform) -> bool:
    translated = _TRANSLATED.get((platform.os, platform.arch), set())
    return any(_native(one, platform) or (one.os == platform.os and one.arch in translated) for one in made_for)


def _native(one: Native, platform: Platform) -> bool:
    """Whether the host runs it without translation; an ARM header does not say which of the 32-bit ones it is."""
    arch = one.arch in (platform.arch, ANY) or (one.arch == "arm" and platform.arch.startswith("armv"))
    libc = one.libc is None or one.libc == (platform.libc or "gnu")
    return one.os == platform.os and arch and libc


def _is_script(path: Path) -> bool:
    if path.suffix.lower() in _WINDOWS_SCRIPTS:
        return True
    with path.open("rb", buffering=0) as file:
        return file.read(2) == b"#!"


def _mismatch(what: str, path: str, made_for: frozenset[Native], platform: Platform) -> RejectedError:
    kinds = ", ".join(sorted(map(str, made_for)))
    return _wrong(f"The build's {what} {path!a} is made for {kinds}, and this host is {platform.name}.")


def _wrong(message: str) -> RejectedError:
    return RejectedError(Reason.WRONG_EXECUTABLE, message)
