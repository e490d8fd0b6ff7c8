"""The account behind the key: its owner, and the lists that name its streams."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pipedream_source.api.client import PipedreamClient
from pipedream_source.exceptions import ApiError, ConnectionFailed
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.session.discovery import (
    ERRORS,
    Inventory,
    Selection,
    all_streams,
    is_unlisted,
    owner_of,
    take_inventory,
)


class Account:
    """What the lists say, read once for each extract.

    Args:
        client: asks the API.
        selection: what the user asked to poll.

    Attributes:
        inventory: the lists as they were last read; empty before that.
        owner_error: why the key's owner could not be read; None if it could.
    """

    def __init__(self, client: PipedreamClient, selection: Selection) -> None:
        """Nothing is sent yet."""
        self.client = client
        self.selection = selection
        self.inventory = Inventory()
        self.owner_error: ApiError | None = None
        self._me: dict[str, Any] | None = None
        self._is_new = False

    @property
    def found_workflows(self) -> list[str]:
        """The ids of all workflows that are known."""
        return sorted(self.inventory.found_by)

    @property
    def digest(self) -> str:
        """The digest of the lists as they were read; empty if one failed."""
        return self.inventory.digest

    def forget_owner(self) -> None:
        """Ask for the key's owner again: what it says of usage is of the extract before."""
        self._me = None

    def take_inventory(self, known_workflows: Mapping[str, Any]) -> Inventory:
        """Read the lists now; an extract that begins within this run reads them no more.

        Raises:
            PipedreamError: the key is wrong or the API cannot be reached.
        """
        me = self.check_key()
        error = self.owner_error
        self.inventory = take_inventory(self.client, self.selection, known_workflows, me, error)
        self._is_new = True
        return self.inventory

    def use_inventory(self, known_workflows: Mapping[str, Any], salt: str) -> Inventory:
        """Return the inventory for an extract that begins, read now unless it just was.

        Args:
            known_workflows: those of earlier loads.
            salt: of the dataset's redaction marks, with which the lists must have been read.

        Raises:
            PipedreamError: the key is wrong or the API cannot be reached.
        """
        if not self._is_new or self.client.redaction_salt != salt:
            self.client.redaction_salt = salt
            self.take_inventory(known_workflows)
        self._is_new = False
        return self.inventory

    def check_key(self) -> dict[str, Any]:
        """Ask who the key belongs to, once; the answer serves the inventory too.

        Returns:
            The answer; nothing if there was none that says something of the key. Then
            `owner_error` says why, and whatever else can be read is read.

        Raises:
            ConfigurationError: the key is wrong.
            ConnectionFailed: there is no connection to the API.
        """
        if self._me is None:
            self.owner_error = None
            try:
                self._me = owner_of(self.client)
            except ApiError as error:
                if isinstance(error, ConnectionFailed) and error.unsent:
                    raise
                self._me, self.owner_error = {}, error
        return self._me

    def refuse_to_poll_nothing(self, known: Iterable[Stream] = ()) -> None:
        """Raise what was answered instead of the key's owner if no stream is known either.

        Args:
            known: streams of earlier loads.

        Raises:
            ApiError: a run without streams would look as if the account were empty.
        """
        if self.owner_error is None:
            return
        if not all_streams(self.inventory, self.selection, known=[*known]):
            raise self.owner_error

    def add_found(self, workflow_ids: Collection[str]) -> None:
        """Add workflows that errors named to this extract's inventory, to be polled by it too."""
        found_by = self.inventory.found_by
        for workflow_id in workflow_ids:
            # Without discovery only what the user named is polled.
            if self.selection.discover or workflow_id in found_by:
                found_by.setdefault(workflow_id, set()).add(ERRORS)

    def is_unlisted(self, stream: Stream) -> bool:
        """Tell whether the lists were read whole and do not name a stream's source any more."""
        return is_unlisted(self.inventory, self.selection, stream.emitter_id)
