"""Runs a program on a pseudo-terminal of its own and answers its prompts.

    terminal.py STEPS PROGRAM ARGUMENT ...

STEPS is a JSON list of [prompt, answer]. An answer is typed once the prompt is there and the terminal no longer
echoes. Writes everything that the terminal showed to the standard output and ends with the program's exit code.
"""

import json
import os
import pty
import sys
import termios
import time

steps, program = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(program[0], program)

shown = b""


def read():
    global shown
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        chunk = b""
    shown += chunk
    return chunk


seen = 0
for prompt, answer in steps:
    while (at := shown.find(prompt.encode(), seen)) < 0:
        if not read():
            sys.exit(f"ended before the prompt {prompt!r}: {shown!r}")
    seen = at + len(prompt)
    deadline = time.monotonic() + 10
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        if time.monotonic() > deadline:
            sys.exit("the terminal echoes what is typed")
        time.sleep(0.005)
    os.write(terminal, answer.encode() + b"\n")
while read():
    pass
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
