"""A port that stays one's own while nobody listens there."""

from __future__ import annotations

import socket

__all__ = ["reserve_port"]


def reserve_port(host: str, port: int) -> socket.socket:
    """Take a port; a listener may come and go there, and meanwhile connections are refused, and no other program gets it.

    Args:
        host: An address of this machine.
        port: 0 picks a free one.

    Returns:
        What holds the port until it is closed; it never listens.

    Raises:
        OSError: The port is taken.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Linux lets a second socket with this option listen there, as long as the first does not.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, port))
    except BaseException:
        holder.close()
        raise
    return holder
