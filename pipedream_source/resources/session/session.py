"""What the resources of one source share: client, account, polls and the tally of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipedream_source.api.client import PipedreamClient
from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.session.account import Account
from pipedream_source.resources.session.discovery import Inventory, Selection
from pipedream_source.resources.session.early_polls import EarlyPolls
from pipedream_source.resources.session.pollers import Pollers
from pipedream_source.resources.session.tally import Tally


@dataclass(frozen=True, slots=True)
class Options:
    """How windows are read, beyond which.

    Attributes:
        since_ms: yield only events from this time on; filters rows, never verdicts.
        full_window: yield every row of each window, for the destination's key to sort out.
        max_workers: threads.
        quiet_poll_s: the longest wait that the cadence suggests for a quiet stream.
    """

    since_ms: int | None = None
    full_window: bool = False
    max_workers: int = 1
    quiet_poll_s: float = 60.0


class Session:
    """Shared by all resources of one `pipedream_source(...)`; one inventory for each extract.

    Args:
        client: asks the API.
        selection: what the user asked to poll.
        options: how to read windows.

    Attributes:
        account: the key's owner and the lists.
        early_polls: polls made before the extract.
        pollers: the resources that still poll.
        tally: counts, errors and warnings.
        components: what one resource of this extract read of them for another.
    """

    def __init__(self, client: PipedreamClient, selection: Selection, options: Options) -> None:
        """Nothing is sent before a resource is extracted."""
        self.client = client
        self.selection = selection
        self.options = options
        self.account = Account(client, selection)
        self.early_polls = EarlyPolls()
        self.pollers = Pollers()
        self.tally = Tally()
        self.components: dict[str, Mapping[str, Any] | PipedreamError] = {}
        self._reread: set[Stream] = set()
        self._is_destination_new = False
        self._load_id: str | None = None

    @property
    def load_id(self) -> str:
        """The id of the load package that is being extracted."""
        # Imported when first needed, with dlt: a run that finds nothing new does without.
        from pipedream_source.resources.session.source_state import load_id

        return load_id()

    @property
    def is_destination_new(self) -> bool:
        """Whether the destination holds no table yet."""
        return self._is_destination_new

    @property
    def reread(self) -> frozenset[Stream]:
        """The streams whose windows are still to be read whole."""
        return frozenset(self._reread)

    def fill_new_destination(self) -> None:
        """Note that the destination holds no table yet."""
        self._is_destination_new = True

    def set_reread(self, streams: set[Stream]) -> None:
        """Note the streams whose windows are to be read whole."""
        self._reread = set(streams)

    def end_reread(self, stream: Stream) -> None:
        """Note that a stream was read whole, or has ended."""
        self._reread.discard(stream)

    def is_read_whole(self, stream: Stream) -> bool:
        """Tell whether every row of a stream's window is wanted, known or not.

        The window of a default channel may hold the rows of channels that nothing else reads.
        """
        if self.options.full_window or stream in self._reread:
            return True
        return not stream.channel and any(s.emitter_id == stream.emitter_id for s in self._reread)

    def inventory(self) -> Inventory:
        """Return this extract's inventory, read at the first call.

        Raises:
            PipedreamError: the key is wrong, the API cannot be reached, or it answers nothing that
                names a stream and no earlier load knows one.
        """
        from pipedream_source.resources.session.source_state import (
            dataset_salt,
            known_streams,
            known_workflows,
            remember_load,
        )

        if self._load_id != self.load_id:
            if self._load_id is not None:
                self.account.forget_owner()
            inventory = self.account.use_inventory(known_workflows(), dataset_salt())
            self._load_id = self.load_id
            self.pollers.clear()
            self.components.clear()
            for name, why in inventory.failed_lists.items():
                self.tally.note_error(name, why)
            self._warn_of_lists()
            self.account.refuse_to_poll_nothing(map(Stream.from_key, known_streams()))
            remember_load()
        return self.account.inventory

    def _warn_of_lists(self) -> None:
        """Say what it means that lists could not be read whole."""
        failed = self.account.inventory.lists_that_hide_streams
        if failed:
            names = ", ".join(failed[:5]) + (f" and {len(failed) - 5} more" if failed[5:] else "")
            self.tally.warn(
                f"Not read whole: {names}. The streams that earlier loads know are polled all the "
                "same; new sources, channels and workflows may be missing until a load can read it."
            )
