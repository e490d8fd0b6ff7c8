"""What every verb that calls the API shares: its flags, and what is done with them.

Each kind of verb is a bundle of flags: one that reads, one that lists, one that changes, one that
deletes. A verb names its kind and says what to call; how the client is made, what is asked before
and what is printed is written here once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.confirm import confirm, require_terminal
from pipedream_source.cli.manage.request_text import NOTHING_SENT, write_request
from pipedream_source.cli.output.console import err, shown
from pipedream_source.cli.output.fields import names_in
from pipedream_source.cli.output.objects import Form, Object, write_each, write_list
from pipedream_source.exceptions import ConfigurationError, PipedreamError, Unavailable
from pipedream_source.settings import PAGE_LIMIT

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.api.protocol import Request

    Find = Callable[[PipedreamClient], Object]
    Complete = Callable[[PipedreamClient], dict[str, Any]]

UNREAD = "Nothing was sent (--dry-run). With a key the object is read, and more of it goes along."
ONLY_READ = "Nothing was changed (--dry-run); the object was read."
_WAIT_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class StillThere(PipedreamError):
    """What was deleted was still shown when it had been waited for long enough."""


@dataclass(frozen=True)
class Connecting:
    """A verb that calls the API."""

    base_url: given.BaseUrl = None
    retry_budget: given.RetryBudget = None
    request_timeout: given.RequestTimeout = None
    ca_bundle: given.CaBundle = None
    verbose: given.Verbose = 0

    def settings(self, org_id: str | None = None) -> dict[str, Any]:
        """Return the client's settings, completed from the configuration; no key is needed."""
        from pipedream_source.cli.flags.config import client_settings

        return client_settings(
            {
                "org_id": org_id,
                "base_url": self.base_url,
                "retry_budget_s": self.retry_budget,
                "request_timeout_s": self.request_timeout,
                "ca_bundle": self.ca_bundle,
            }
        )

    def client(self, org_id: str | None = None) -> PipedreamClient:
        """Return a client, to be used as a context manager; its `org_id` is the workspace meant."""
        from pipedream_source.api.arguments import check_kind
        from pipedream_source.cli.flags.config import client_from

        settings = self.settings(org_id)
        if settings.get("org_id"):
            check_kind(settings["org_id"], "org_id", "o")
        return client_from(settings | {"keeps_json": True})


@dataclass(frozen=True)
class Writing(Connecting):
    """A verb that writes objects of the API."""

    as_json: given.Json = False
    as_jsonl: given.JsonLines = False
    columns: given.Columns = None

    def __post_init__(self) -> None:
        """Refuse two forms at once, before anything is asked."""
        if self.as_json and self.as_jsonl:
            raise typer.BadParameter("--json and --jsonl contradict each other")

    @property
    def form(self) -> Form:
        """In which form objects are written, and which of their fields."""
        return Form(self.as_json, self.as_jsonl, tuple(names_in(self.columns)))

    def write(self, item: Object) -> None:
        """Write one object."""
        write_each(self.form, [item])

    def write_list(self, objects: Iterable[Object], columns: Sequence[str], noun: str) -> None:
        """Write objects as they come; people see `columns` unless they asked for others."""
        write_list(self.form, objects, columns, noun)

    def request(self, name: str, arguments: dict[str, Any]) -> Request:
        """Return what a method of the client would send; its builder has the same name."""
        from pipedream_source.api import calls

        request: Request = getattr(calls, name)(**arguments)
        return request

    def complete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return arguments with the configured workspace, where the call knows of workspaces."""
        if "org_id" not in arguments:
            return arguments
        return arguments | {"org_id": self.settings(arguments["org_id"]).get("org_id")}

    def show(self, request: Request, note: str = NOTHING_SENT) -> None:
        """Write a request instead of sending it, and whether the API would refuse it anyway."""
        from pipedream_source.api.endpoints import takes_tokens

        write_request(self.form, self.settings(), request, note)
        if not takes_tokens(request.method, request.path) and "client_id" in _credentials():
            err().print(
                "[yellow]warning[/]  the real call is refused: the API does not take it from an "
                "OAuth client, only with a user API key"
            )


@dataclass(frozen=True)
class Asking(Writing):
    """A verb that reads."""

    include: given.Include = None
    exclude: given.Exclude = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields to ask for, as the client's methods take them."""
        return {
            "include": names_in(self.include) or None,
            "exclude": names_in(self.exclude) or None,
        }


@dataclass(frozen=True)
class Listing(Asking):
    """A verb that lists."""

    limit: given.Limit = PAGE_LIMIT
    maximum: given.Max = None

    @property
    def pages(self) -> dict[str, Any]:
        """Which fields and how many objects, as the client's methods take them."""
        return {**self.fields, "limit": self.limit, "maximum": self.maximum}

    def write_list(self, objects: Iterable[Object], columns: Sequence[str], noun: str) -> None:
        """Write objects as they come; people see the fields that the API was asked for."""
        left_out = names_in(self.exclude)
        wanted = names_in(self.include) or columns
        seen = [name for name in wanted if name.partition(".")[0] not in left_out]
        super().write_list(objects, seen, noun)


@dataclass(frozen=True)
class Changing(Asking):
    """A verb that makes or changes something."""

    dry_run: given.DryRun = False

    def change(self, name: str, more: Complete | None = None, /, **arguments: Any) -> Any:
        """Call a method of the client, or print what it would send.

        Args:
            name: the method.
            more: reads arguments that go along with those given; a dry run without a key goes
                without them.
            **arguments: its own; the fields to ask for are added.

        Returns:
            What the method returns; None when nothing was changed.
        """
        arguments = self.complete(arguments) | self.fields
        request = self.request(name, arguments)
        if self.dry_run and (more is None or not _credentials()):
            self.show(request, UNREAD if more else NOTHING_SENT)
            return None
        with self.client() as client:
            if more is not None:
                arguments |= more(client)
            if not self.dry_run:
                return getattr(client, name)(**arguments)
        self.show(self.request(name, arguments), ONLY_READ)
        return None

    def change_and_write(
        self, name: str, more: Complete | None = None, /, **arguments: Any
    ) -> None:
        """Call a method and write the object that it returns, or each of several."""
        found = self.change(name, more, **arguments)
        if found:
            write_each(self.form, found if isinstance(found, list) else [found])
        elif found is not None:
            err().print(
                "The API took the request and names nothing that it made: look whether it is "
                "there, such as with `pipedream-source subscriptions list`.",
                soft_wrap=True,
            )


@dataclass(frozen=True)
class Deleting(Writing):
    """A verb that deletes something."""

    dry_run: given.DryRun = False
    yes: given.Yes = False
    wait: given.Wait = False

    def delete(self, name: str, what: str, find: Find, /, **arguments: Any) -> None:
        """Show an object, have its name typed, and delete it; or print what would be sent.

        Args:
            name: the client's method.
            what: what is deleted, such as `source`.
            find: looks the object up; raises `Unavailable` when there is none.
            **arguments: of the method.

        Raises:
            NotConfirmed: another name was typed.
            StillThere: it was deleted and still found after a minute (with `--wait`).
        """
        arguments = self.complete(arguments)
        request = self.request(name, arguments)
        if self.dry_run:
            self.show(request)
            return
        if not self.yes:
            require_terminal(f"a {what}")
        with self.client(arguments.get("org_id")) as client:
            if not self.yes:
                confirm(find(client), what)
            getattr(client, name)(**arguments)
            if self.wait:
                await_gone(lambda: _is_gone(client, find), what)
        self.tell(what, {n: v for n, v in arguments.items() if v is not None})

    def tell(self, what: str, told: Object, *, done: str = "Deleted") -> None:
        """Say on stderr that something was deleted, and to programs on stdout."""
        if self.form.is_for_people:
            names = " ".join(value for value in told.values() if isinstance(value, str))
            err().print(f"{done} {what} {shown(names)}", soft_wrap=True)
        else:
            self.write({**told, "accepted": True, "gone": self.wait or None})


def vouched_for(client: PipedreamClient, objects: Iterable[Object]) -> Iterator[Object]:
    """Yield a user's objects; when there are none, make sure that the key is one.

    To a wrong key the API may answer with an empty list.

    Raises:
        Unauthorized: it is not.
    """
    none = True
    for item in objects:
        none = False
        yield item
    if none and client.takes_user_paths:
        client.me()


def _credentials() -> dict[str, Any]:
    """Return the credentials, for a dry run, which needs none."""
    from pipedream_source.cli.flags.config import credentials

    try:
        return credentials()
    except ConfigurationError:
        return {}


def _is_gone(client: PipedreamClient, find: Find) -> bool:
    try:
        find(client)
    except Unavailable as error:
        if error.status in (None, 404):
            return True
        raise
    return False


def await_gone(is_gone: Callable[[], bool], what: str) -> None:
    """Look again and again until something is gone, for a minute at most.

    Raises:
        StillThere: the minute is over.
    """
    deadline = time.monotonic() + _WAIT_S
    pause = _FIRST_PAUSE_S
    while not is_gone():
        if time.monotonic() + pause > deadline:
            raise StillThere(
                f"The API took the deletion, but the {what} was still there after {_WAIT_S:.0f} s. "
                "Deleting is asynchronous: look again later."
            )
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
