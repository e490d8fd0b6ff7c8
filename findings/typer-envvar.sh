#!/usr/bin/env bash
# typer 0.26.0 reads no environment variable of an option that is declared with `envvar=`: the
# option keeps its default, without a word. 0.25.1 and 0.26.1 read it. (Python 3.11)
#
# Seen:
#   typer 0.25.1: from the environment
#   typer 0.26.0: the default
#   typer 0.26.1: from the environment
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/app.py" <<'PYTHON'
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def main(place: Annotated[str, typer.Option(envvar="APP_PLACE")] = "the default") -> None:
    print(place)


app()
PYTHON
seen=""
for version in 0.25.1 0.26.0 0.26.1; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip --disable-pip-version-check install --quiet "typer==$version" "click==8.3.1"
  said=$(APP_PLACE="from the environment" "$folder/$version/bin/python" "$folder/app.py")
  echo "typer $version: $said"
  seen="$seen$said;"
done
test "$seen" = "from the environment;the default;from the environment;"
