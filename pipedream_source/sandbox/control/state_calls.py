"""The control plane's whole-state calls: reset, dump, restore, the truth, and the logs."""

from __future__ import annotations

from typing import Any

import msgspec

from pipedream_source.sandbox.content.component_code import read_code
from pipedream_source.sandbox.content.library import Published
from pipedream_source.sandbox.control.calls import time_of
from pipedream_source.sandbox.control.orders import (
    FORMAT,
    KeptTime,
    KeptTokens,
    Publication,
    Reset,
    State,
    read_order,
)
from pipedream_source.sandbox.control.snapshot import keep, keep_rng, read, read_rng
from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.faults import Faults
from pipedream_source.sandbox.protocol.switches import Switches
from pipedream_source.sandbox.protocol.tokens import Tokens
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.site import Site


def reset(site: Site, call: Call) -> Reply:
    """Put the seeded state back; switches, faults, clock and journal too."""
    site.reset(read_order(call, Reset).seed)
    return Reply.json(_about_site(site))


def _about_site(site: Site) -> dict[str, Any]:
    workspace = site.workspace
    ids = {"org_id": workspace.orgs[0]["id"], "user_id": workspace.user["id"]}
    return {**time_of(site), "seed": workspace.seed, **ids}


def dump(site: Site, _: Call) -> Reply:
    """Write the whole state down, for `restore`; a running clock stands in it."""
    state = State(
        FORMAT,
        KeptTime(site.now_ms(), site.clock.speed),
        site.switches.as_dict(),
        site.faults.rules,
        keep_rng(site.faults.rng),
        KeptTokens(site.tokens.issued, site.tokens.live),
        [Publication(url, p.code, p.kind) for url, p in site.published.items()],
        keep(site.workspace),
    )
    return Reply(200, msgspec.json.encode(state))


def restore(site: Site, call: Call) -> Reply:
    """Take a dumped state back: from now on the answers are the ones that followed the dump.

    Nothing changes when it cannot be read. The keys, the journal and the start that `reset` goes
    back to stay this server's.
    """
    state = read_order(call, State)
    if state.format != FORMAT:
        raise InvalidParameter(f"the state is of format {state.format}, not {FORMAT}")
    try:
        workspace, switches = read(state.workspace), Switches().changed(state.switches)
        faults = Faults(workspace.seed)
        faults.rng = read_rng(state.faults_rng)
    except (ValueError, LookupError) as error:
        raise InvalidParameter(f"the state does not hold together: {error}") from None
    for rule in state.faults:
        faults.add(rule)
    site.switches, site.faults, site.tokens = switches, faults, Tokens(workspace.seed)
    site.tokens.issued, site.tokens.live = state.tokens.issued, state.tokens.live
    site.published = {
        p.url: Published(read_code(p.code).key or p.url, p.code, p.kind) for p in state.published
    }
    site.deliveries.clear()
    site.clock.set(state.clock.now_ms, state.clock.speed)
    site.settle(workspace)
    return Reply.json(_about_site(site))


def read_journal(site: Site, _: Call) -> Reply:
    """Return the calls that came in under `/v1`."""
    return Reply.json(site.journal.as_dict())


def clear_journal(site: Site, call: Call) -> Reply:
    """Forget the calls so far."""
    site.journal.clear()
    return read_journal(site, call)


def read_deliveries(site: Site, _: Call) -> Reply:
    """Return what became of the deliveries to webhooks, and the stopped ones among emitters."""
    return Reply.json(site.deliveries.as_dict())


def read_state(site: Site, _: Call) -> Reply:
    """Return the truth: every emitter with what it emitted in all and what is retained."""
    time = time_of(site)
    workspace = site.workspace
    settings = {"switches": site.switches.as_dict(), "faults": site.faults.as_list()}
    owners = {"user_id": workspace.user["id"], "org_ids": [org["id"] for org in workspace.orgs]}
    emitters = [_about(emitter) for emitter in workspace.emitters.values()]
    state = {**time, "seed": workspace.seed, **owners, **settings, "emitters": emitters}
    return Reply.json(state)


def _about(emitter: Emitter) -> dict[str, Any]:
    channels = {
        name: {
            "emitted": stream.emitted,
            "retained": len(stream.rows),
            "oldest_id": stream.rows[0].id if stream.rows else None,
            "newest_id": stream.rows[-1].id if stream.rows else None,
        }
        for name, stream in emitter.streams.items()
    }
    return {
        "id": emitter.id,
        "name": emitter.name,
        "type": "source" if emitter.is_source else "workflow",
        "owner_id": emitter.owner_id,
        "listed_in": list(emitter.listed_in),
        "paces": emitter.paces,
        "on_event": emitter.on_event,
        "channels": channels,
    }
