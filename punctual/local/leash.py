"""Become another program that ends when its supervisor does.

Run as a script by the supervisor for every child: ``leash.py PARENT SIGNAL UID GID PROGRAM [ARGUMENT ...]``.
It is a program of its own because Python code between fork and exec is unsafe in a process with threads.
Standard library only, and started with ``-I -S``, so it costs some 15 ms.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid, which would clear it. Other systems than Linux lack it: there, children left by a killed
    # supervisor are ended by the next start.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the leash was on
        sys.exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606  # the supervisor composed it
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
