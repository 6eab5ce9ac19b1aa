#!/bin/sh
# A user's install: the built wheel without the `train` extra, in an environment of its own, away
# from the source. Predicting, ingesting and the doctor must work; training must say what it needs.
set -eu
python=$1
here=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w "$work" .
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  -c "$here/constraints.txt" "$work"/pixelmine-*.whl
cd "$work"
export PIXELMINE_CACHE="$work/cache"
photographs=$("$work/venv/bin/python" -c \
  'from importlib.resources import files; print(files("sklearn.datasets") / "images")')

"$work/venv/bin/python" -m pip check
if "$work/venv/bin/python" -c 'import keras' 2>/dev/null; then
  echo "keras should not be in a base install" >&2
  exit 1
fi
"$work/venv/bin/pixelmine" doctor
"$work/venv/bin/pixelmine" predict "$photographs" --out results.jsonl
grep -q '"label": "palace"' results.jsonl
"$work/venv/bin/pixelmine" ingest "$photographs" --into photographs.pixels
"$work/venv/bin/pixelmine" predict photographs.pixels --out again.jsonl
if "$work/venv/bin/pixelmine" train photographs.pixels --out x.bundle 2>said.txt; then
  echo "training without its extra should have failed" >&2
  exit 1
fi
grep -q "pixelmine\[train\]" said.txt
echo "A base install predicts; training says what it needs."
