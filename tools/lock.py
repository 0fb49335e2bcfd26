"""Write the locks anew: `requirements/*.txt` from `*.in`, and `package-lock.json` from `package.json`."""

import subprocess
import sys

from tools.setup import ROOT, npm_command

COMPILE = [
    sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--upgrade",
    "--no-emit-index-url", "--no-annotate", "--no-header", "--python-version", "3.11",
]  # fmt: skip


def main() -> None:
    """Resolve anew; what `run` got, `test` gets too, so that what is tested is what is served."""
    _compile("run")
    _compile("test", "--constraint", "run.txt")
    _compile("bench", "--constraint", "test.txt")
    _compile("node")
    _compile("lock")
    subprocess.run([*npm_command(), "install", "--package-lock-only", "--ignore-scripts"], cwd=ROOT, check=True)


def _compile(name: str, *options: str) -> None:
    print(f"locking requirements/{name}.in …", flush=True)
    command = [*COMPILE, *options, f"{name}.in", "--output-file", f"{name}.txt"]
    subprocess.run(command, cwd=ROOT / "requirements", check=True)


if __name__ == "__main__":
    main()
