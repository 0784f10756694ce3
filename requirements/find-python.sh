# Sets `python` to a Python of 3.12 or later that can make environments; says what to install when there is none.
# Read by ./rahdari and ./test. The first one on PATH may be too old, or a shim that only answers with an error.

fits='import sys; sys.exit(0 if sys.version_info >= (3, 12) else 1)'
makes_environments='import venv, ensurepip; ensurepip.version()'
python=
incomplete=
for candidate in "${RAHDARI_PYTHON:-}" python3.13 python3.12 python3.14 python3 python \
    /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.14 /usr/bin/python3 \
    /usr/local/bin/python3 /opt/homebrew/bin/python3 \
    "${HOME:-/nonexistent}"/.pyenv/versions/3.1[2-9]*/bin/python3 "${PYENV_ROOT:-/nonexistent}"/versions/3.1[2-9]*/bin/python3; do
    [ -n "$candidate" ] || continue
    found=$(command -v -- "$candidate" 2>/dev/null) || continue
    "$found" -I -c "$fits" >/dev/null 2>&1 </dev/null || continue
    if "$found" -I -c "$makes_environments" >/dev/null 2>&1 </dev/null; then
        python=$found
        break
    fi
    [ -n "$incomplete" ] || incomplete=$found
done

if [ -z "$python" ]; then
    if [ -n "$incomplete" ]; then
        version=$("$incomplete" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "Python $version is here ($incomplete), but cannot make environments: its module venv is not installed." >&2
        install="python$version-venv"
    else
        echo "Rahdari needs Python 3.12 or later with its module venv, and none was found." >&2
        install="python3 python3-venv"
    fi
    if command -v apt-get >/dev/null 2>&1; then
        echo "Install it:  sudo apt-get update && sudo apt-get install -y $install" >&2
        [ -n "$incomplete" ] || echo "(Debian 13 and Ubuntu 24.04 have one that is new enough.)" >&2
    elif command -v dnf >/dev/null 2>&1; then
        echo "Install it:  sudo dnf install -y python3.12" >&2
    elif command -v brew >/dev/null 2>&1; then
        echo "Install it:  brew install python@3.13" >&2
    else
        echo "Install one from your system's packages or from python.org, then start again." >&2
    fi
    echo "If it stands in an unusual place:  RAHDARI_PYTHON=/path/to/python3 $0" >&2
    exit 1
fi
