"""Faults of a whole run: the key, the host, the budget, the first call, the environment."""

from __future__ import annotations

from tests.faults.breaking import (
    GIVE_UP_AFTER,
    all_is_put_off,
    another_run,
    asked_once_and_hidden,
    budget_runs_out,
    clock,
    environment,
    every_window,
    first_call,
    gave_up,
    lists_are_named,
    no_such_host,
    no_tls,
    nobody_listens,
    nothing_there,
    one_list,
    one_window,
    only_the_key_was_sent,
    only_windows,
    option,
    others_are_put_off,
    refused_after,
    rest_is_put_off,
    variable,
    wrong_key,
)
from tests.faults.rates import BUDGET_S, throttled
from tests.faults.redirects import moved
from tests.faults.run_fault import ALL, NO_EVENTS, SOME, RunFault
from tests.faults.slow import silence
from tests.faults.statuses import error
from tests.faults.tls import untrusted
from tests.faults.wire import TRIES
from tests.integration.contract import Reply

_LISTS = 4  # /users/me, sources, subscriptions, webhooks
_BEHIND = 1  # the page of sources behind the last
_UNVERIFIED = "TLS certificate could not be verified"
_NO_ID = "is not an id of the form"
_YEAR_S = 365 * 86_400.0

RUNS = (
    RunFault(
        "refused",
        "nobody listens",
        nobody_listens,
        exit_code=1,
        told="no complete answer from 127.0.0.1:",
    ),
    RunFault(
        "noHost",
        "the host's name cannot be resolved",
        no_such_host,
        exit_code=1,
        told="api.invalid:443",
    ),
    RunFault(
        "noTls",
        "a server without TLS under https",
        no_tls,
        exit_code=2,
        told="no TLS connection could be made",
    ),
    RunFault(
        "selfSigned",
        "a certificate that nobody signed",
        untrusted(),
        exit_code=2,
        told=_UNVERIFIED,
    ),
    RunFault(
        "otherName",
        "a trusted certificate of another host",
        untrusted("DNS:elsewhere.invalid", trusted=True),
        exit_code=2,
        told=_UNVERIFIED,
    ),
    RunFault(
        "expired",
        "a trusted certificate that has expired",
        untrusted(years="expired", trusted=True),
        exit_code=2,
        told=_UNVERIFIED,
    ),
    RunFault(
        "wrongKey",
        "401 at the start, echoing the key",
        wrong_key,
        exit_code=2,
        told="refused the key (status 401",
        requests=0,
        check=asked_once_and_hidden,
    ),
    RunFault(
        "keyEndsInLists",
        "401 while the lists are read",
        refused_after(1),
        exit_code=2,
        told="refused the key (status 401",
    ),
    RunFault(
        "keyEndsMidway",
        "401 midway",
        refused_after(_LISTS + 2),
        exit_code=2,
        told="refused the key (status 401",
        leaves=SOME,
    ),
    RunFault(
        "keyEndsLater",
        "401 midway, in a later load",
        refused_after(_LISTS + 2),
        exit_code=2,
        told="refused the key (status 401",
        leaves=SOME,
        is_long=True,
        needs_before=True,
    ),
    *(
        RunFault(
            f"first{status}",
            f"{status} to the first call, in a first load",
            first_call(error(status)),
            exit_code=3,
            told=f"status {status}",
            leaves=ALL,
        )
        for status in (400, 403, 404, 500, 503)
    ),
    *(
        RunFault(
            f"first{name}",
            f"{happens} in answer to the first call",
            first_call(Reply(body)),
            exit_code=3,
            told="is not what the API documents",
            leaves=ALL,
            is_long=name != "Html",
        )
        for name, happens, body in (
            ("Html", "an HTML page", b"<html>"),
            ("Object", "`{}`", b"{}"),
            ("Null", "`data: null`", b'{"data":null}'),
            ("List", "`data: []`", b'{"data":[]}'),
            ("Empty", "nothing", b""),
        )
    ),
    RunFault(
        "firstWait",
        "429 beyond the budget to the first call",
        first_call(throttled("999999")),
        exit_code=1,
        told="deferred until",
        requests=1,
    ),
    RunFault(
        "firstMoved",
        "a redirect to another host from the first call",
        first_call(moved("http://127.0.0.2:9/")),
        exit_code=3,
        told="the key is sent to no other host",
        leaves=ALL,
    ),
    RunFault(
        "firstSilent",
        "no answer to the first call",
        first_call(Reply(raw=silence), "--request-timeout", "0.5"),
        exit_code=3,
        told="within 0.5 s",
        leaves=ALL,
    ),
    RunFault(
        "onlyWindows",
        "503 to the first call and to every list, in a later load",
        only_windows(error(503)),
        exit_code=3,
        told="new sources, channels and workflows may be missing",
        leaves=ALL,
        needs_before=True,
        check=lists_are_named,
    ),
    RunFault(
        "onlyWindowsAtFirst",
        "503 to the first call and to every list, in a first load",
        only_windows(error(503)),
        exit_code=1,
        told="/users/me: status 503",
    ),
    RunFault(
        "allFail",
        "500 for every stream: no new request after twenty failures",
        every_window(error(500), "--max-workers", "1"),
        exit_code=1,
        told="status 500",
        leaves=NO_EVENTS,
        streams=30,
        requests=_LISTS + 2 + GIVE_UP_AFTER * TRIES,
        check=gave_up,
    ),
    RunFault(
        "allGone",
        "404 for every stream",
        every_window(error(404)),
        exit_code=1,
        told="status 404",
        leaves=NO_EVENTS,
        is_long=True,
    ),
    RunFault(
        "allWait",
        "429 beyond the budget for every stream",
        every_window(throttled("999999")),
        exit_code=1,
        told="deferred until",
        leaves=NO_EVENTS,
        requests=_LISTS + _BEHIND + 1,
        is_long=True,
    ),
    *(
        RunFault(
            f"wait{name}",
            f"429 to one stream, {happens}: nothing else is sent",
            one_window(throttled(retry_after), "--retry-budget", BUDGET_S),
            exit_code=3,
            told="deferred until",
            leaves=SOME,
            requests=_LISTS + _BEHIND + 3,
            check=rest_is_put_off,
        )
        for name, happens, retry_after in (
            ("Week", "Retry-After: 999999", "999999"),
            ("Budget", "Retry-After: a second more than the budget", "6"),
            ("Digits", "Retry-After: 99999999999", "99999999999"),
            ("Year9999", "Retry-After: a date of 9999", "Fri, 31 Dec 9999 23:59:59 GMT"),
        )
    ),
    RunFault(
        "listWait",
        "429 beyond the budget to a list: nothing else is sent",
        one_list(throttled("999999")),
        exit_code=1,
        told="deferred until",
        leaves=NO_EVENTS,
        requests=4,
        needs_before=True,
        check=all_is_put_off,
    ),
    RunFault(
        "budget",
        "the budget for waits is spent by some streams",
        budget_runs_out,
        exit_code=3,
        told="deferred until",
        leaves=SOME,
        check=others_are_put_off,
    ),
    RunFault("another", "another run is at work", another_run, exit_code=75, told="Another run"),
    RunFault(
        "environment",
        "proxies and a `~/.netrc` that nobody meant for this",
        environment,
        leaves=ALL,
        check=only_the_key_was_sent,
    ),
    RunFault(
        "noSource",
        "an account without sources",
        nothing_there,
        leaves=NO_EVENTS,
        streams=1,
        is_long=True,
    ),
    *(
        RunFault(
            f"clock{name}",
            f"the local clock is {name.lower()} by a year",
            clock(seconds),
            leaves=ALL,
            needs_before=True,
            is_long=True,
        )
        for name, seconds in (("Ahead", _YEAR_S), ("Behind", -_YEAR_S))
    ),
    *(
        RunFault(
            f"id{n}",
            f"`{flag} {value}`",
            option(flag, value),
            exit_code=2,
            told=_NO_ID if "form" in told else told,
            requests=0,
        )
        for n, (flag, value, told) in enumerate(
            (
                ("--source-id", "../users/me", "form"),
                ("--source-id", "dc_" + "x" * 65, "form"),
                ("--source-id", "dc_a b", "form"),
                ("--source-id", "' or 1=1", "form"),
                ("--workflow-id", "p_\u0661", "form"),
                ("--workflow-id", "dc_abc", "must begin with p_"),
                ("--org-id", "o_1/../x", "form"),
            )
        )
    ),
    *(
        RunFault(
            f"url{n}",
            f"a base URL of `{url}`",
            variable("PIPEDREAM_BASE_URL", url),
            exit_code=2,
            told=told,
            requests=0,
        )
        for n, (url, told) in enumerate(
            (
                ("http://api.example.com/v1", "must begin with https://"),
                ("https://user:hush@api.example.com/v1", "without user"),
                ("file:///etc/passwd", "must be https://HOST"),
                ("https://api.example.com/v1?x=1", "without user, query"),
            )
        )
    ),
)
