"""What the linker needs for a wheel that runs with glibc 2.28 (manylinux_2_28), where a newer one is installed.

    python glibc_2_28.py FOLDER

`make wheel` runs it on Linux, and passes on what it prints: arguments for rustc. In the folder are then

- `libdl.so` and `libpthread.so`, without any code: they say that the symbols of `glibc_2_28.txt` are in those libraries, under
  their old versions. The linker finds them before the system's, where all of it is in `libc.so.6` under a new version. At run time
  it is the system's own libraries that are loaded: a newer glibc has the old versions too.
- `newer.o`, from `glibc_2_28.c`: the few functions that have no old version under their own names.

Everything else is linked as ever, with the compiler's own unwinder: another linker's (zig's) ends the process where the interpreter
ends a thread that is inside the module.
"""

import os
import platform
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
CC = os.environ.get("CC", "cc")
# The first glibc for the processor: what is older there has its version. Where nothing is said, the text's own versions hold.
FIRST = {"x86_64": None, "aarch64": "GLIBC_2.17"}


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    libraries: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in (HERE / "glibc_2_28.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            library, symbol, version = line.split()
            libraries[library][FIRST[platform.machine()] or version].append(symbol)
    for library, versions in libraries.items():
        stub(folder, library, versions)
    compiled = folder / "newer.o"
    subprocess.run([CC, "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Werror", "-c", HERE / "glibc_2_28.c", "-o", compiled], check=True)
    print(f"-C link-arg=-L{folder} -C link-arg={compiled}")


def stub(folder: Path, library: str, versions: dict[str, list[str]]) -> None:
    """A shared library of this name that defines the symbols, and does nothing."""
    script = folder / f"{library}.map"
    script.write_text("".join(f"{version} {{ {'; '.join(names)}; }};\n" for version, names in versions.items()))
    code = "".join(f"void {name}(void) {{}}\n" for names in versions.values() for name in names)
    linking = ["-nostdlib", f"-Wl,-soname,{library},--version-script,{script}"]
    out = folder / f"{library.partition('.')[0]}.so"
    subprocess.run([CC, "-shared", "-fPIC", *linking, "-x", "c", "-", "-o", out], input=code.encode(), check=True)


if __name__ == "__main__":
    main()
