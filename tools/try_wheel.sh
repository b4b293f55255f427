#!/bin/sh
# Builds the sdist, and the wheel from it, installs that into an environment of its own outside the checkout, and runs
# `hundred_events` from there: installed with pip, shaketable must be as useful as from a clone.
#   try_wheel.sh BUILDER              with the Python that builds it, and the dependencies of its environment
#   try_wheel.sh BUILDER 3.11 3.12 …  with each of these that this machine has, on PATH or of pyenv, and with all extras
#                                     of requirements.lock; it names the others
set -eu
builder=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT INT TERM
new="$elsewhere/venv/bin/python"

find_python() { # VERSION: the path of that Python; fails without one
  for each in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    "$each" -c 'import sys; print(sys.executable)' 2>/dev/null && return
  done
  return 1
}

packages() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

install() { # PYTHON, of which the wheel goes into the new environment
  # The checkout is in the builder's environment, too, as an editable package that a .pth file does not reach.
  "$1" -m pip --python "$new" install --quiet --disable-pip-version-check --no-deps --ignore-installed "$elsewhere"/dist/*.whl
}

try() { # the new environment
  (
    cd "$elsewhere"
    rm -rf runs
    "$new" -W error -m pytest --markers | grep -q '^@pytest.mark.shake('
    "$new" -c 'import shaketable; assert "/venv/" in shaketable.__file__, shaketable.__file__'
    "$new" -m shaketable run hundred_events || [ $? = 2 ] # unknown: the machine was too busy to judge times
    "$new" - <<'END'
import json

checks = json.load(open("runs/latest/verdict.json"))["checks"]
for name in ("no_loss", "no_duplicates", "nothing_invented", "order_kept", "content_intact"):
    assert checks[name]["verdict"] == "passed", (name, checks[name])
END
  )
}

"$builder" -m hatchling build -t sdist -d "$elsewhere/dist" >/dev/null
tar -xzf "$elsewhere"/dist/*.tar.gz -C "$elsewhere"
(cd "$elsewhere"/shaketable-* && "$builder" -m hatchling build -t wheel -d "$elsewhere/dist" >/dev/null)

if [ $# = 0 ]; then
  "$builder" -m venv --without-pip "$elsewhere/venv"
  packages "$builder" >"$(packages "$new")/dependencies.pth"
  install "$builder"
  try
fi
missing=
for version; do
  if python=$(find_python "$version"); then
    echo "## Python $version: $("$python" -V)"
    rm -rf "$elsewhere/venv"
    "$python" -m venv "$elsewhere/venv"
    "$new" -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --only-binary :all: \
      -r requirements.lock
    install "$new"
    "$new" -m pip check
    try
  else
    missing="$missing $version"
  fi
done
if [ -n "$missing" ]; then
  echo "## NOT TRIED: Python$missing: not on PATH, and not of pyenv"
fi
