"""Four small parts that only a browser can do: write the address, copy a line, tell the width, keep the place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

# replaceState, so that a slider's steps leave no trail of Back presses; what an embedding page asked for is kept.
_ADDRESS = """
export default function({ data }) {
  const now = new URLSearchParams(location.search), next = new URLSearchParams(data.query)
  for (const name of ["embed", "embed_options"]) for (const value of now.getAll(name)) next.append(name, value)
  const query = next.toString() ? "?" + next.toString() : ""
  if (location.search !== query) history.replaceState(history.state, "", location.pathname + query + location.hash)
}
"""
_WIDTH = """
export default function({ setStateValue, parentElement }) {
  const told = () => {
    const width = innerWidth < 640 ? "phone" : "desk"
    if (parentElement.told !== width) { parentElement.told = width; setStateValue("width", width) }
  }
  told()
  addEventListener("resize", told)
  return () => removeEventListener("resize", told)
}
"""
# The link is made while the press still counts as the reader's own, or the browser refuses the clipboard.
_COPY = """
export default function({ data, parentElement }) {
  const button = parentElement.querySelector("button")
  button.textContent = data.label
  button.title = data.hint
  const text = async () => {
    if (!data.link) return data.text
    try {
      const headers = { "Content-Type": "application/json" }
      const answer = await fetch("/api/links", { method: "POST", headers, body: JSON.stringify(data.link) })
      const made = await answer.json()
      return made.url ? data.text + " · " + made.url : data.text
    } catch { return data.text }
  }
  button.onclick = async () => {
    let said = "Copied"
    try {
      if (window.ClipboardItem && data.link) {
        await navigator.clipboard.write([new ClipboardItem({ "text/plain": text().then(t => new Blob([t], { type: "text/plain" })) })])
      } else await navigator.clipboard.writeText(await text())
    } catch { said = "This browser does not allow copying" }
    button.textContent = said
    setTimeout(() => { button.textContent = data.label }, 1600)
  }
}
"""
_COPY_STYLE = """
button { font: inherit; font-size: .8rem; line-height: 1.2; color: var(--st-text-color); background: none; border: 0; padding: .2rem .1rem;
  cursor: pointer; white-space: nowrap;
  text-decoration: underline; text-decoration-color: var(--st-border-color); text-underline-offset: 3px }
button:hover { text-decoration-color: currentColor }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; border-radius: 3px }
"""


@functools.cache
def _component(name: str) -> Callable[..., Any]:
    make = st.components.v2.component
    if name == "address":
        return make("ridgepoint_address", js=_ADDRESS)
    if name == "width":
        return make("ridgepoint_width", js=_WIDTH)
    return make("ridgepoint_copy", html="<button type='button'></button>", css=_COPY_STYLE, js=_COPY)


def write_address(query: str) -> None:
    """Put a query string into the address bar without a new entry in the history."""
    _component("address")(data={"query": query}, key="ridgepoint-address", height=1)


def told_width() -> str | None:
    """Ask the browser for its width class; it reruns the page when it changes."""
    result = _component("width")(key="ridgepoint-width", on_width_change=lambda: None, height=1)
    return getattr(result, "width", None)


def copy_button(text: str, *, label: str, hint: str, key: str, link: dict[str, Any] | None = None) -> None:
    """A button that copies text; with `link`, the state whose short link is made and added first."""
    _component("copy")(data={"text": text, "label": label, "hint": hint, "link": link}, key=key, width="content")
