"""Every fault is injected in a world of its own: no configuration, no key, no proxy around."""

from tests.integration import conftest as integration

own_world = integration._own_world
