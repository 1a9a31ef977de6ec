"""Ask the app on this machine whether it is up: a container's health check.

In: PORT, as the app reads it. Out: exit status 0 where `GET /health` answers 200, else 1.
"""

from __future__ import annotations

import http.client
import os
import sys

SECONDS = 4  # to connect, and to answer


def answers(port: int) -> bool:
    """Whether the app at this port of 127.0.0.1 says that it is up; no proxy is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not answers(int(os.environ.get("PORT") or 7860)))
