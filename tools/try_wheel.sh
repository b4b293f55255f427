#!/bin/sh
# Builds the wheel, installs it into an environment of its own outside the checkout, and runs `calm` from there:
# installed with pip, shaketable must be as useful as from a clone.
set -eu
python=$1
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT INT TERM
"$python" -m hatchling build -t wheel -d "$elsewhere/dist" >/dev/null
"$python" -m venv "$elsewhere/venv"
"$elsewhere/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements.lock
"$elsewhere/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$elsewhere"/dist/*.whl
cd "$elsewhere"
venv/bin/python -W error -m pytest --markers | grep -q '^@pytest.mark.shake('
venv/bin/shaketable run calm
