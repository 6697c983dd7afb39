#!/bin/sh
# Creates or updates .venv: `tools/environment.sh run` for `make run`, `develop` for everything.
# `python` prints the Python for creating environments: $PYTHON, or the first supported one on the PATH.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
python=$venv/bin/python
stamp=$venv/.installed

version_of() {
  "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

is_supported() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  for candidate in ${PYTHON:+"$PYTHON"} $([ -n "${PYTHON:-}" ] || echo python3 python3.13 python3.12 python3.11); do
    if is_supported "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  found=$(version_of "${PYTHON:-python3}" || echo "not a working Python")
  echo "Coinfarm needs Python 3.11, 3.12 or 3.13; ${PYTHON:-python3} is $found." >&2
  echo "Install one of them, or name it: make run PYTHON=/path/to/python3.12" >&2
  exit 1
}

# The state of the environment: its path, its Python, and the lists of packages.
state() {
  (cd "$venv" && pwd -P)
  version_of "$python"
  cksum pyproject.toml constraints.txt
  echo "$1"
}

is_installed() {
  [ -f "$stamp" ] || return 1
  state "$1" | cmp -s - "$stamp" && return
  # `develop` includes `run`.
  [ "$1" = run ] && state develop | cmp -s - "$stamp"
}

# The commands in a virtual environment have the absolute path of its Python, so it cannot be moved.
was_moved() {
  [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" != "$(cd "$venv" && pwd -P)" ]
}

is_usable() {
  is_supported "$python" && "$python" -m pip --version >/dev/null 2>&1 || return 1
  ! was_moved || return 1
  [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$python")" ]
}

install() {
  if ! is_usable; then
    base=$(find_python)
    echo "Creating $venv with Python $(version_of "$base")"
    "$base" -m venv --clear "$venv" || {
      echo "$base could not create a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
      exit 1
    }
  elif is_installed "$1"; then
    return
  fi
  echo "Installing packages into $venv: $3"
  rm -f "$stamp"
  # setuptools warns about every editable installation.
  PYTHONWARNINGS=ignore "$python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$2]"
  state "$1" >"$stamp"
}

case ${1:-} in
  run) install run serve "about 160 MB to download, 0.6 GB on disk; half a minute with a fast connection" ;;
  develop) install develop serve,bench,compile,dev "about 0.7 GB to download, 3.5 GB on disk; two to three minutes with a fast connection" ;;
  python) find_python ;;
  *)
    echo "usage: $0 run|develop|python" >&2
    exit 2
    ;;
esac
