r"""Make an MSI of the frozen pawld, with wixl (of msitools) on Linux.

    python packaging/windows.py FROZEN OUT        FROZEN is the directory that freeze.py made on Windows

The package holds the program below Program Files and its service, which starts at boot. It holds no
configuration: that is the administrator's, in %ProgramData%\pawld, and stays through upgrades and removal.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

from asked import asked

FAMILY = uuid.UUID("2b3f1c3e-6d7c-4a35-9d0c-8f1e5c8a9b10")  # of all versions together: it must never change
PROGRAM = "pawld.exe"
_SCHEMA = "http://schemas.microsoft.com/wix/2006/wi"
# The old version goes when the new one is there: what both have stays, the service and its settings above all. wixl
# knows one place for it alone, where everything is removed first.
_OLD_GOES_LAST = "UPDATE `InstallExecuteSequence` SET `Sequence` = 6601 WHERE `Action` = 'RemoveExistingProducts'"
_NEWER = "A newer version of pawld is installed."


def package(frozen: Path, out: Path, version: str) -> Path:
    """Make the package below *out* and return it."""
    if not (frozen / PROGRAM).is_file():
        raise SystemExit(f"{frozen} has no {PROGRAM}: freeze.py makes it on Windows")
    out.mkdir(parents=True, exist_ok=True)
    number = numeric(version)
    made = out / f"pawld-{number}-x64.msi"
    with tempfile.TemporaryDirectory() as work:
        described = Path(work) / "pawld.wxs"
        ET.ElementTree(described_product(frozen, number)).write(described, encoding="utf-8", xml_declaration=True)
        tree = Path(work) / "tree"  # wixl finds files beside the description alone
        tree.symlink_to(frozen)
        subprocess.run([_tool("wixl"), "-a", "x64", "-o", str(made), described.name], cwd=work, check=True)
    subprocess.run([_tool("msibuild"), str(made), "-q", _OLD_GOES_LAST], check=True)
    return made


def numeric(version: str) -> str:
    """Return the three numbers that Windows Installer compares; it knows no pre-releases."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise SystemExit(f"{version} is no version of three numbers")
    return found[0]


def described_product(frozen: Path, version: str) -> ET.Element:
    """Return the description that wixl reads."""
    wix = ET.Element("Wix", xmlns=_SCHEMA)
    product = ET.SubElement(
        wix, "Product", Id="*", Name="pawld", Version=version, Manufacturer="The pawld authors", Language="1033"
    )
    product.set("UpgradeCode", str(FAMILY).upper())
    ET.SubElement(product, "Package", InstallerVersion="500", Compressed="yes", InstallScope="perMachine")
    ET.SubElement(product, "MajorUpgrade", DowngradeErrorMessage=_NEWER)
    ET.SubElement(product, "Media", Id="1", Cabinet="pawld.cab", EmbedCab="yes")
    target = ET.SubElement(product, "Directory", Id="TARGETDIR", Name="SourceDir")
    programs = ET.SubElement(target, "Directory", Id="ProgramFiles64Folder")
    home = ET.SubElement(programs, "Directory", Id="INSTALLDIR", Name="pawld")
    feature = ET.SubElement(product, "Feature", Id="All", Level="1")
    _describe(frozen, frozen, home, feature)
    return wix


def _describe(directory: Path, frozen: Path, parent: ET.Element, feature: ET.Element) -> None:
    """Describe everything in *directory*: a component a file, so that each is repaired and removed by itself."""
    for path in sorted(directory.iterdir()):
        relative = path.relative_to(frozen).as_posix()
        name = hashlib.sha256(relative.encode()).hexdigest()[:32]
        if path.is_dir():
            _describe(path, frozen, ET.SubElement(parent, "Directory", Id=f"d{name}", Name=path.name), feature)
            continue
        guid = str(uuid.uuid5(FAMILY, relative)).upper()
        component = ET.SubElement(parent, "Component", Id=f"c{name}", Guid=guid, Win64="yes")
        ET.SubElement(component, "File", Id=f"f{name}", Name=path.name, Source=f"tree/{relative}", KeyPath="yes")
        ET.SubElement(feature, "ComponentRef", Id=f"c{name}")
        if relative == PROGRAM:
            _serve(component)


def _serve(component: ET.Element) -> None:
    """Have the program's service start at boot, and now; stop it before its files change.

    Nobody waits for the start: without a configuration the service ends again, which is no failed installation.
    """
    ET.SubElement(
        component,
        "ServiceInstall",
        Id="Service",
        Name="pawld",
        DisplayName="pawld",
        Description="Keeps agents current on this host.",
        Type="ownProcess",
        Start="auto",
        ErrorControl="normal",
        Arguments="run --service",
    )
    ET.SubElement(component, "ServiceControl", Id="Begin", Name="pawld", Start="install", Wait="no")
    ET.SubElement(component, "ServiceControl", Id="End", Name="pawld", Stop="both", Remove="uninstall", Wait="yes")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is missing: apt-get install wixl msitools")
    return found


if __name__ == "__main__":
    this = asked(__doc__)
    print(package(this.frozen, this.out, this.version))
