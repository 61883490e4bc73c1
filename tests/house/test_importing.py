"""Nothing happens at import: importing every module opens no socket, starts no process and touches no file."""

import subprocess
import sys

from tests.house.source import ROOT, modules

# Runs in an interpreter of its own, with an audit hook that sees what the modules do.
PROGRAM = """
import importlib, sys
root, *names = sys.argv[1:]
seen = []

def watch(event, arguments):
    if event == "subprocess.Popen" and [str(word) for word in arguments[1][:2]] == ["file", "-b"]:
        return  # croniter, which Faust brings along, asks for the word size of Python, in every release
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.mkdir", "os.remove", "sqlite3.connect"):
        seen.append(f"{event} {arguments[:1]}")
    elif event == "open":
        path, mode = str(arguments[0]), arguments[1]
        writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        reads_data = path.startswith(root) and "/.venv/" not in path and not path.endswith((".py", ".pyc"))
        if writes or reads_data:
            seen.append(f"open {path} {mode}")

sys.addaudithook(watch)
for name in names:
    before = len(seen)
    importlib.import_module(name)
    for what in seen[before:]:
        print(f"{name}: {what}")
"""


def test_importing_every_module_does_nothing() -> None:
    names = [module.name for module in modules("schemas", "services") if not module.name.endswith("__main__")]
    command = [sys.executable, "-B", "-c", PROGRAM, str(ROOT), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_no_package_init_makes_a_shadow_of_the_standard_library() -> None:
    """`services/profile` on `sys.path` would hide the module of the same name: services start with `python -m`."""
    command = [sys.executable, "-c", "import services.profile, profile; print(profile.run.__module__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.strip() == "profile"
