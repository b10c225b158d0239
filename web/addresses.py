"""Addresses as readers see them."""

from __future__ import annotations

from starlette.requests import Request

from web import context


def public_url(request: Request) -> str:
    """Return the address readers reach this server by, without a slash at its end: the setting, else the request's own."""
    return (context.settings().public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")
