"""A local receiver that behaves like the destinations: for trying the kit, and for its tests.

``Sandbox`` runs in a thread, ``serve`` as a command. Both listen on loopback only and need nothing installed. From
another process, ``POST /_sandbox/fail`` takes a script of faults, ``GET /_sandbox/summary`` answers the sizes,
``GET /`` is a page, and ``Received.read(path)`` reads what a sandbox with a ``path`` has applied.
"""

from personas_kit.sandbox.faults import Fault
from personas_kit.sandbox.local import Sandbox, serve
from personas_kit.sandbox.received import Arrival, Received

__all__ = ["Arrival", "Fault", "Received", "Sandbox", "serve"]
