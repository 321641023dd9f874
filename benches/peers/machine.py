"""What a figure depends on: the machine, its versions, the day."""

import datetime
import json
import os
import platform
import sqlite3
import subprocess
import sys
from pathlib import Path


def about() -> dict[str, str]:
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True)
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "sqlite": f"{sqlite3.sqlite_version} (Python's own)",
        "rust": rustc.stdout.split(" (")[0].removeprefix("rustc ").strip() or "not there",
        "date": datetime.date.today().isoformat(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    # Into results that another program has written.
    file = Path(sys.argv[1])
    results = json.loads(file.read_text())
    file.write_text(json.dumps({"machine": about(), **results}, indent=2) + "\n")
