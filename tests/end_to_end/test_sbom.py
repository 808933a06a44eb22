"""The bill of materials: what runs in pawld, as locked, and nothing that only its tests need."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "packaging" / "sbom.py"


def test_the_bill_of_materials_names_what_runs_with_its_hashes_and_is_the_same_each_time(tmp_path: Path) -> None:
    bills = [tmp_path / "first.cdx.json", tmp_path / "second.cdx.json"]
    for bill in bills:
        subprocess.run([sys.executable, str(SCRIPT), str(bill)], check=True, capture_output=True, timeout=60)

    document = json.loads(bills[0].read_bytes())
    components = {one["name"]: one for one in document["components"]}
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "pawld"
    assert components["tuf"]["version"] == version("tuf")
    assert components["cryptography"]["externalReferences"][0]["hashes"]
    assert {"pytest", "mypy", "cyclonedx-bom"}.isdisjoint(components)
    assert bills[0].read_bytes() == bills[1].read_bytes()
