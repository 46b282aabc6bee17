"""Make the virtual environment and install the pinned packages; every failure is one line that says what to do.

Runs before anything is installed, on whatever Python there is, so it uses the standard library alone
and no syntax newer than Python 3.6: an old Python must get as far as the sentence about its age.
"""

import argparse
import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
FINETUNE_VENV = os.path.join(ROOT, ".venv-finetune")
# Apart from the pinned packages, because the right build depends on the graphics card.
TORCH = "torch==2.13.0"
LOG = os.path.join(ROOT, "var", "install.log")

# What pip prints, and what to tell the person about it.
CAUSES = (
    (
        ("HASHES", "DO NOT MATCH THE HASHES"),
        "a downloaded package differs from the pinned one; empty pip's cache (pip cache purge) and run this again",
    ),
    (
        (
            "Could not find a version",
            "NewConnectionError",
            "ConnectionError",
            "name resolution",
            "Network is unreachable",
        ),
        "no package index could be reached; connect to the network (the first start needs it), then run this again",
    ),
    (
        ("gcc", "cl.exe", "compiler", "Failed building wheel", "failed-wheel-build", "Python.h"),
        "a package has no ready-made wheel here and no C compiler was found; install one "
        "(Debian: apt install build-essential python3-dev) and run this again",
    ),
    (("No space left",), "the disk is full; free about 1.5 GB (10 GB for fine-tuning) and run this again"),
)


def fail(sentence):
    sys.stderr.write("stephanie: " + sentence + "\n")
    sys.exit(1)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(command, default):
    """Run quietly, log everything, turn a failure into its sentence."""
    os.makedirs(os.path.dirname(LOG), exist_ok=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(LOG, "ab") as log:
        log.write(done.stdout)
    if done.returncode:
        output = done.stdout.decode("utf-8", "replace")
        for marks, sentence in CAUSES:
            if any(mark in output for mark in marks):
                fail(sentence + " (details: var/install.log)")
        fail(default + " (details: var/install.log)")


def program(venv, name):
    return os.path.join(venv, "Scripts" if os.name == "nt" else "bin", name)


def make_environment(venv=VENV):
    """Make it unless it is whole: pip comes last, and a Python that was removed since leaves a dead link."""
    python = program(venv, "python")
    if os.path.exists(python) and any(name.startswith("pip") for name in os.listdir(os.path.dirname(python))):
        return
    run(
        [sys.executable, "-m", "venv", "--clear", venv],
        "Python's venv module does not work; install it (Debian: apt install python3-venv) and run this again",
    )


def install(names, venv=VENV):
    """Install requirement files once; a stamp with their hash makes the second time instant."""
    files = [os.path.join(ROOT, name) for name in names]
    wanted = hashlib.sha256(b"".join(read(path) for path in files)).hexdigest()
    arguments = ["--require-hashes"]
    for path in files:
        arguments += ["-r", path]
    once(os.path.join(venv, "installed-" + "-".join(names) + ".sha256"), wanted, arguments, venv)


def once(stamp, wanted, arguments, venv):
    """Run pip unless the stamp says that it was done."""
    if os.path.exists(stamp) and read(stamp).decode() == wanted:
        return
    sys.stderr.write("Installing packages (once; a few minutes) …\n")
    command = [program(venv, "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(command + arguments, "the packages could not be installed")
    with open(stamp, "w") as file:
        file.write(wanted)


def install_finetune():
    """The environment that trains: torch in the build that was asked for, then the pinned packages."""
    venv = os.path.abspath(os.environ.get("FINETUNE_VENV") or FINETUNE_VENV)
    torch = os.environ.get("TORCH") or TORCH
    make_environment(venv)
    once(os.path.join(venv, "installed-torch.txt"), torch, torch.split(), venv)
    install(["requirements-finetune.txt"], venv)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="install what tests and lint need too")
    parser.add_argument("--finetune", action="store_true", help="instead, make the environment that trains models")
    options = parser.parse_args()
    if sys.version_info < (3, 11):
        fail(
            "Python 3.11 or newer is needed, this is {}.{}; ".format(*sys.version_info[:2])
            + "install it, then add PYTHON=/path/to/python3.11 to the make command"
        )
    if options.finetune:
        install_finetune()
        return
    make_environment()
    install(["requirements.txt", "requirements-dev.txt"] if options.dev else ["requirements.txt"])


if __name__ == "__main__":
    main()
