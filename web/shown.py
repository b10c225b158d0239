"""One chart as it stands at one revision, or as a link kept it, answered in any form."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Mapping
from typing import Any, cast

import pandas as pd
import plotly.graph_objects as go
from starlette.requests import Request
from starlette.responses import Response

from charts.look import Look
from charts.template import TOKENS
from data.links import canonical, parquet
from web import card, context, exports
from web.answers import Refused, json_answer
from web.exports import MEDIA_TYPES, file_name
from web.images import Form, ImageBusy, ImageUnavailable, Size, placeholder_png

FORMS = tuple(MEDIA_TYPES)
LOOK_NAMES = ("theme", "width", "height", "scale", "card")
# Drawn text may hold links; an SVG or HTML opened by itself may do nothing but show.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox"
_HTML_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
_RECEIPT_COLUMNS = {
    "formulas": ("name", "text", "result", "unit", "source"),
    "inputs": ("label", "value", "unit", "source", "source_url", "rung", "flags", "as_of"),
}


@dataclasses.dataclass(frozen=True)
class Shown:
    """What is answered: a chart, its state, its table and what is said about it."""

    chart: Any
    params: Any
    table: pd.DataFrame
    words: dict[str, Any]
    receipt: dict[str, Any]
    rev: int
    model: str
    today: datetime.date
    link_id: str | None = None
    notice: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        """What the answer depends on, as plain values."""
        return {
            "chart": self.chart.id,
            "params": self.params.model_dump(mode="json"),
            "rev": self.rev,
            "model": self.model,
            "today": self.today.isoformat(),
            "link": self.link_id,
        }

    def figure(self, look: Look) -> Any:
        """The chart drawn from its table, or the sentence that says why there is nothing to draw."""
        if self.words.get("empty"):
            return card.nothing(str(self.words["empty"]), look)
        return self.chart.figure(self.table, self.params, look)

    def picture(self, theme: str, size: Size, *, framed: bool) -> dict[str, Any]:
        """The chart as plain values of a figure that fills an image, with finding, credit and address inside where framed."""
        look = card.look_for(theme, size.width_px, size.height_px, self.words, framed=framed)
        figure = self.figure(look)
        if framed:
            stamp = f"rev {self.rev} · {self.today:%-d %b %Y}"
            address = f"ridgepoint/s/{self.link_id}" if self.link_id else f"ridgepoint/{self.chart.page}"
            figure = card.framed(figure, self.words, stamp, address, look, size.width_px)
        else:
            figure = go.Figure(figure).update_layout(paper_bgcolor=TOKENS[look.theme]["page"])
        return exports.figure_json(figure)


def answer(shown: Shown, form: str, request: Request) -> Response:
    """Return the response for one form. Errors: Refused for an unknown form or a look that cannot be read."""
    if form not in MEDIA_TYPES:
        raise Refused(404, f"there is no form {form[:20]!r}; the forms are {', '.join(FORMS)}")
    drawn = drawing_of(request.query_params) if form in ("png", "svg", "html") else None
    notice = shown.notice["sentence"] if shown.notice else None
    tag = hashlib.sha256(canonical([shown.state(), form, repr(drawn), notice]).encode()).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", "X-Ridgepoint-Revision": str(shown.rev), "X-Ridgepoint-Model": shown.model}
    if f'"{tag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{file_name(shown.chart.id, shown.rev, form)}"'
    if form == "json":
        return json_answer(told(shown), headers=headers)
    if form in ("png", "svg"):
        assert drawn is not None
        image = context.renderer().draw(shown.picture(drawn.theme, drawn.size, framed=drawn.framed), cast(Form, form), drawn.size)
        return Response(
            image, headers=headers | ({"Content-Security-Policy": _SVG_POLICY} if form == "svg" else {}), media_type=MEDIA_TYPES[form]
        )
    if form == "html":
        headers["Content-Security-Policy"] = _HTML_POLICY
    return Response(_file(shown, form, drawn), headers=headers, media_type=MEDIA_TYPES[form])


def preview(shown: Shown, kept_s: int) -> Response:
    """Return the picture a link preview shows: the chart, or a plain card with its finding where none can be drawn.

    `kept_s` is how long a reader's cache may keep it [s].
    """
    try:
        image = context.renderer().draw(shown.picture("light", Size(), framed=True), "png", Size())
        return Response(image, media_type="image/png", headers={"Cache-Control": f"public, max-age={kept_s}"})
    except (ImageBusy, ImageUnavailable) as error:
        return placeholder(str(shown.words.get("finding") or shown.chart.title), str(error))


def placeholder(title: str, sentence: str) -> Response:
    """Return a plain picture that says why there is no other; kept by nobody."""
    headers = {"Cache-Control": "no-store", "X-Ridgepoint-Image": "placeholder"}
    return Response(placeholder_png(title, sentence), media_type="image/png", headers=headers)


def told(shown: Shown) -> dict[str, Any]:
    """Return everything said about a chart, with its rows, as plain values."""
    about = {"id": shown.chart.id, "title": shown.chart.title, "page": shown.chart.page}
    state = shown.state()
    facts = {"chart": about, "params": state["params"], "revision": shown.rev, "model": shown.model, "today": state["today"]}
    facts |= {"words": shown.words, "facts": dict(shown.table.attrs)}
    if shown.link_id:
        facts |= {"link": shown.link_id, "notice": shown.notice}
    return facts | exports.json_rows(shown.table)


@dataclasses.dataclass(frozen=True)
class Drawing:
    """How an image is asked for: its theme, its size, and whether finding and credit stand inside it."""

    theme: str
    size: Size
    framed: bool


def drawing_of(query: Mapping[str, str]) -> Drawing:
    """Return how a query wants an image. Errors: Refused naming the value and what is accepted."""
    for name, accepted in (("theme", ("light", "dark")), ("card", ("true", "false"))):
        if query.get(name, accepted[0]) not in accepted:
            raise Refused(400, f"{name}={query[name][:40]!r}: {accepted[0]} or {accepted[1]} is accepted")
    size = Size(_whole(query, "width", 1200, 300, 2400), _whole(query, "height", 630, 200, 2400), _whole(query, "scale", 1, 1, 3))
    return Drawing(query.get("theme", "light"), size, query.get("card", "true") == "true")


def _whole(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not low <= int(text[:6]) <= high:
        raise Refused(400, f"{name}={text[:40]!r}: a whole number from {low} to {high:,} is accepted")
    return int(text)


def _file(shown: Shown, form: str, drawn: Drawing | None) -> bytes:
    if form == "csv":
        return exports.csv_bytes(shown.table)
    if form == "parquet":
        return parquet(shown.table)
    if form == "xlsx":
        return exports.xlsx_bytes(shown.table, about_rows(shown), receipt_sheets(shown.receipt))
    assert drawn is not None
    look = card.look_for(drawn.theme, drawn.size.width_px, drawn.size.height_px, shown.words, framed=False)
    figure = shown.figure(look)
    words = shown.words
    lines = [words.get("coverage"), words.get("credit"), f"Revision {shown.rev} · {shown.today:%Y-%m-%d} · model {shown.model}"]
    return exports.html_bytes(figure, title=shown.chart.title, alt=str(words.get("alt") or ""), lines=[str(line) for line in lines if line])


def about_rows(shown: Shown) -> list[tuple[str, Any]]:
    """Return label and value of what a table is and where it is from."""
    words = shown.words
    rows: list[tuple[str, Any]] = [("chart", shown.chart.id), ("title", shown.chart.title)]
    rows += [(name, words[name]) for name in ("finding", "subtitle", "coverage", "credit") if words.get(name)]
    rows += [("revision", shown.rev), ("model", shown.model), ("today", shown.today.isoformat())]
    return rows + [(f"parameter {name}", value) for name, value in shown.params.model_dump(mode="json").items()]


def receipt_sheets(receipt: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """Return a receipt's formulas and inputs as rows under a header, by the name of their sheet; none where it has none."""
    sheets = {}
    for name, columns in _RECEIPT_COLUMNS.items():
        if rows := receipt.get(name):
            sheets[name] = [list(columns), *([row.get(column) for column in columns] for row in rows)]
    return sheets
