# `just` lists what there is.

python := ".venv-test/bin/python"

default:
    @just --list

# Make the environment of development, and the hooks that run its tools before each commit.
init:
    ./test lint || true
    {{python}} -m pre_commit install

# All checks and tests, as CI runs them but for what this machine lacks.
test *arguments:
    ./test {{arguments}}

# The checks without the tests.
lint:
    ./test lint

# Mend what can be mended by program.
fix:
    {{python}} -m ruff check --fix .
    {{python}} -m ruff format .

types:
    {{python}} -m mypy

# The documentation, into docs/_build; a warning is an error.
docs:
    {{python}} -m sphinx -W --keep-going -b html docs docs/_build/html

demo *arguments:
    ./rahdari demo {{arguments}}

# Bring the lock files up to date; `just lock --upgrade` takes newer versions. Needs uv.
lock *arguments:
    #!/bin/sh
    set -eu
    compile() {
        name=$1; shift
        uv pip compile pyproject.toml "$@" --universal --python-version 3.12 --generate-hashes --no-config \
            --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet \
            --output-file "requirements/$name.txt" {{arguments}}
    }
    compile server --extra server --group build
    compile agent
    compile dev --extra server --group dev --constraint requirements/server.txt

# Write and update the catalogues of one room, such as `just messages apply`. Needs gettext.
messages room:
    cd src/rahdari/{{room}} && {{justfile_directory()}}/{{python}} -m django makemessages -l ur --no-location --no-wrap

# The next CHANGELOG.md, from the fragments in changes/.
changelog version:
    {{python}} -m towncrier build --version {{version}}

build:
    {{python}} -m hatchling build
