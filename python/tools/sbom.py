"""Bills of materials (CycloneDX 1.6) of what is shipped: the crate, the C library, the Python wheel, the command line.

    python sbom.py FOLDER

`make sbom` runs it. What Cargo compiles into each, with versions, checksums and licences as Cargo.lock and the crates have
them, and the SQLite that `libsqlite3-sys` brings along.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
SHIPPED = {"sealite": ComponentType.LIBRARY, "sealite-ffi": ComponentType.LIBRARY, "sealite-python": ComponentType.LIBRARY}
SHIPPED["sealite-cli"] = ComponentType.APPLICATION


def cargo(*arguments: str) -> str:
    run = subprocess.run(["cargo", *arguments, "--locked"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    metadata = json.loads(cargo("metadata", "--format-version=1"))
    packages = {f"{package['name']} v{package['version']}": package for package in metadata["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {f"{package['name']} v{package['version']}": package.get("checksum") for package in lock["package"]}
    for name, kind in SHIPPED.items():
        bom = of(name, kind, packages, checksums)
        file = folder / f"{name}.cdx.json"
        file.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")
        print(f"{file}: {len(bom.components)} components")


def of(name: str, kind: ComponentType, packages: dict[str, Any], checksums: dict[str, str | None]) -> Bom:
    bom = Bom()
    known: dict[str, Component] = {}
    # On any platform, and what build scripts use: they write code, too.
    tree = cargo("tree", "-p", name, "-e", "no-dev", "--target", "all", "--prefix", "depth", "--no-dedupe", "--format", "|{p}|")
    edges: dict[str, set[str]] = {}
    above: list[str] = []
    for line in tree.splitlines():
        depth, told, _ = line.split("|")
        # The name and the version; what follows in brackets is where a crate of the workspace lies.
        crate = " ".join(told.split(" ")[:2])
        del above[int(depth) :]
        if crate not in known:
            known[crate] = component(packages[crate], checksums[crate], kind if not above else ComponentType.LIBRARY)
            edges[crate] = set()
        if above:
            edges[above[-1]].add(crate)
        above.append(crate)
    root = next(iter(known))
    bom.metadata.component = known[root]
    for crate, part in known.items():
        if crate != root:
            bom.components.add(part)
    sqlite = bundled_sqlite(packages, known)
    for crate, part in known.items():
        uses = [known[used] for used in edges[crate]]
        if sqlite and crate.startswith("libsqlite3-sys "):
            bom.components.add(sqlite)
            uses.append(sqlite)
        bom.register_dependency(part, uses)
    return bom


def component(package: dict[str, Any], checksum: str | None, kind: ComponentType) -> Component:
    name, version = package["name"], package["version"]
    purl = PackageURL("cargo", None, name, version)
    # Some crates still write a licence as cargo once had it: MIT/Apache-2.0.
    licence = (package["license"] or "").replace("/", " OR ")
    part = Component(name=name, version=version, type=kind, purl=purl, bom_ref=purl.to_string())
    if licence:
        part.licenses.add(LicenseExpression(licence))
    if checksum:
        part.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=checksum))
    if package["repository"]:
        part.external_references.add(ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(package["repository"])))
    return part


def bundled_sqlite(packages: dict[str, Any], known: dict[str, Component]) -> Component | None:
    """SQLite's C code, compiled in: what an advisory on SQLite is about."""
    crate = next((name for name in known if name.startswith("libsqlite3-sys ")), None)
    if crate is None:
        return None
    header = Path(packages[crate]["manifest_path"]).parent / "sqlite3" / "sqlite3.h"
    found = re.search(r'^#define SQLITE_VERSION\s+"([\d.]+)"', header.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{header} tells no version")
    purl = PackageURL("generic", None, "sqlite", found[1])
    part = Component(name="sqlite", version=found[1], type=ComponentType.LIBRARY, purl=purl, bom_ref=purl.to_string())
    part.licenses.add(LicenseExpression("blessing"))
    return part


if __name__ == "__main__":
    main()
