#!/usr/bin/env bash
# typer 0.27.0 to 0.27.3 name an option after its metavar where that is the parameter's name in
# capitals: `folder` with metavar="FOLDER" becomes --FOLDER, and --folder is "No such option". With
# another metavar, and in 0.26.8 and 0.28.0, it is --folder. (Python 3.11)
#
# Seen:
#   typer 0.26.8: --folder
#   typer 0.27.3: --FOLDER
#   typer 0.28.0: --folder
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/app.py" <<'PYTHON'
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def main(folder: Annotated[str, typer.Option(metavar="FOLDER")] = ".") -> None:
    print(folder)


print(typer.main.get_command(app).params[0].opts[0])
PYTHON
seen=""
for version in 0.26.8 0.27.3 0.28.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip --disable-pip-version-check install --quiet "typer==$version" "click==8.3.1"
  said=$("$folder/$version/bin/python" "$folder/app.py")
  echo "typer $version: $said"
  seen="$seen$said;"
done
test "$seen" = "--folder;--FOLDER;--folder;"
