"""A client that reruns pages as a browser does, over Streamlit's own socket, and costs almost nothing itself.

The messages are Streamlit's private protocol: it holds for the pinned version.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

LIMIT_S = 60.0


@dataclass(frozen=True)
class Run:
    """One run of a page's script: its time [s], the time until the first chart [s], what was received [B], and charts drawn."""

    time_s: float
    first_chart_s: float | None
    received_bytes: int
    charts: int


class Session:
    """One visitor: opens a page and reruns it."""

    def __init__(self, server: str, page: str = "", query: str = "") -> None:
        self.page, self.query, self._script = page, query, ""
        address = server.replace("http://", "ws://") + "/_stcore/stream"
        self._socket: ClientConnection = connect(address, subprotocols=["streamlit"], max_size=None, compression=None)  # type: ignore[list-item]

    def __enter__(self) -> Session:
        """Use as a context: the socket closes at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def rerun(self, query: str | None = None) -> Run:
        """Run the page once and wait until its script has finished. RuntimeError where it did not finish well."""
        message = BackMsg()
        message.rerun_script.query_string = self.query if query is None else query
        if self._script:
            message.rerun_script.page_script_hash = self._script
        else:
            message.rerun_script.page_name = self.page
        start = time.perf_counter()
        self._socket.send(message.SerializeToString())
        received, charts, first, exceptions = 0, 0, None, []
        while True:
            data = self._socket.recv(LIMIT_S)
            assert isinstance(data, bytes)
            received += len(data)
            answer = ForwardMsg()
            answer.ParseFromString(data)
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self._script = self._script or answer.new_session.page_script_hash
            elif kind == "navigation":  # the page the menu's script chose
                self._script = answer.navigation.page_script_hash
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                element = answer.delta.new_element.WhichOneof("type")
                if element == "plotly_chart":
                    charts += 1
                    first = first or time.perf_counter() - start
                elif element == "exception":
                    exceptions.append(answer.delta.new_element.exception.message)
            elif kind == "script_finished":
                break
        if exceptions:
            raise RuntimeError(f"/{self.page}: {exceptions[0]}")
        return Run(time.perf_counter() - start, first, received, charts)


def median(values: list[float]) -> float:
    """The middle of some numbers."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
