"""The small files beside a weight file that a script writes: what it is, and where it comes from."""

import hashlib
import sys
from pathlib import Path

INDEX = """\
// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "{id}";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = {bytes};
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "{sha256}";
"""


def verified(path, digest):
    """The path, if the file is the one that the committed result was made from."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        sys.exit(f"{path} has SHA-256 {found}, not {digest}")
    return path


def site_packages():
    return Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")


def write(folder, data, file_id, provenance, **numbers):
    digest = hashlib.sha256(data).hexdigest()
    path = folder / "weights.bin"
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(data)
    values = dict(numbers, id=file_id, bytes=len(data), sha256=digest)
    (folder / "index.js").write_text(INDEX.format(**values), encoding="utf8")
    (folder / "PROVENANCE.md").write_text(provenance.format(**values), encoding="utf8")
    print(f"{path}: {file_id}, {len(data)} bytes, " + ("identical to the one that was there" if data == before else "NEW"))
