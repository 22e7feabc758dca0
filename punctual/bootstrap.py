"""Makes the environment of a checkout: ``.venv`` with exactly what the lock names.

Run by `make` with any Python from 3.11 on; standard library only, because nothing is installed yet. A stamp makes the
second run instant, an interrupted run starts over. Settings of pip (PIP_INDEX_URL, PIP_CERT, ...) are respected.

    python3 punctual/bootstrap.py          what the programs need
    python3 punctual/bootstrap.py --dev    what the tests need as well

Written so that a Python as old as 3.6 can read it and say what is wrong, hence the quoted annotations.
"""

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "punctual-stamp.json"
UNFINISHED = VENV / "punctual-unfinished"

_LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}  # the second contains the first


def main(arguments: "list[str]") -> int:
    kind = "dev" if "--dev" in arguments else "run"
    problem = what_is_wrong_with_this_python()
    if problem:
        complain(problem)
        return 1
    if stamps().get(kind) == digest(kind):
        return 0
    try:
        make_environment()
        install(kind)
    except subprocess.CalledProcessError:
        complain(
            "\nThe environment is not complete. Run the same command again once the cause shown above is gone; behind\n"
            "a proxy or a mirror set HTTPS_PROXY, PIP_INDEX_URL or PIP_CERT."
        )
        return 1
    except OSError as error:
        complain(f"{error.filename or VENV}: {error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        complain("\ninterrupted; the next run starts over")
        return 130
    return 0


def what_is_wrong_with_this_python() -> "str | None":
    """One message with the way to mend it, or None."""
    if sys.version_info < OLDEST:
        return (
            f"Punctual needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {sys.version.split()[0]}.\n"
            "Name another with `make PYTHON=/path/to/python3.11 ...`."
        )
    missing = [name for name in ("venv", "ensurepip", "ssl") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return (
            f"{sys.executable} comes without {' and '.join(missing)}, which an environment cannot be made without.\n"
            f"On Debian and Ubuntu: apt-get install python{version}-venv"
        )
    return None


def stamps() -> "dict[str, str]":
    """What was installed completely: kind -> digest."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def digest(kind: str) -> str:
    """Changes with anything that the environment is made of; the path is in the scripts inside it."""
    content = hashlib.sha256()
    for part in (_LOCKS[kind], "pyproject.toml"):
        content.update((ROOT / part).read_bytes())
    content.update(f"{sys.version} {ROOT}".encode())
    return content.hexdigest()


def make_environment() -> None:
    """An environment of this Python, made anew if there is none, it is broken, or its installation was interrupted."""
    if VENV.is_dir() and not UNFINISHED.exists() and version_inside() == sys.version:
        return
    say(f"making {VENV} with Python {sys.version.split()[0]}")
    # Make runs this with the environment's own Python when there is one; that one is about to be removed.
    outside = getattr(sys, "_base_executable", sys.executable)
    run([outside, "-m", "venv", "--clear", str(VENV)])


def version_inside() -> "str | None":
    try:
        command = [str(python()), "-c", "import sys, pip; print(sys.version)"]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()[
            :-1
        ]
    except (OSError, subprocess.CalledProcessError):
        return None


def install(kind: str) -> None:
    """What the lock names, each file compared with its hash, then the checkout itself."""
    lock = ROOT / _LOCKS[kind]
    total = sum(1 for line in lock.read_text().splitlines() if "==" in line and not line.startswith((" ", "#")))
    say(f"installing {total} packages")
    UNFINISHED.touch()
    STAMP.unlink(missing_ok=True)
    pip = [str(python()), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar=off"]
    run([*pip, "--require-hashes", f"--requirement={lock}"], total)
    run([*pip, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)])
    STAMP.write_text(json.dumps({one: digest(one) for one in (["run", "dev"] if kind == "dev" else ["run"])}))
    UNFINISHED.unlink()
    say("the environment is complete")


def run(command: "list[str]", total: int = 0) -> None:
    """Run quietly; tell how far it is when there is a total, and show everything when it fails."""
    output = []
    collected = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(ROOT)) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                output.append(line.decode(errors="replace"))
                if total and output[-1].startswith(("Collecting ", "Requirement already satisfied: ")):
                    collected += 1
                    if collected % 15 == 0:
                        say(f"  {collected} of {total}")
                elif total and output[-1].startswith("Installing collected"):
                    say("  unpacking")
        except BaseException:
            process.kill()  # else it would go on in an environment that the next run makes anew
            raise
    if process.returncode != 0:
        complain("".join(output))
        raise subprocess.CalledProcessError(process.returncode, command)


def python() -> Path:
    return VENV / "bin" / "python"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
