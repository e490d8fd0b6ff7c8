"""`pipedream-source sandbox`: a stand-in of the API to try things on."""

from __future__ import annotations

from typing import Annotated

import typer

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.flags import options as given
from pipedream_source.exceptions import ConfigurationError

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source sandbox\n\n"
    "  pipedream-source sandbox --port 8765 --speed 60 --json"
)


@guarded
def sandbox(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same workspace.")] = 7,
    speed: Annotated[
        float, typer.Option(min=0, help="Its seconds for each real one; 0 stands still.")
    ] = 0.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON line first, for programs.")
    ] = False,
    _verbose: given.Verbose = 0,
) -> None:
    """Serve a stand-in of the Pipedream API, with a made-up workspace, until Ctrl-C.

    It needs no account and no network. Its address and key are printed when it accepts connections.
    """
    from pipedream_source.sandbox.server import serve

    try:
        serve(host=host, port=port, seed=seed, speed=speed, json_output=as_json)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {host}:{port} ({error.strerror or error}): choose another --port, "
            "or 0 for a free one."
        ) from None
