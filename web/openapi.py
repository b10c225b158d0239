"""GET /api/openapi.json: every address of this API, with each chart's parameters, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web.addresses import public_url
from web.answers import guarded, json_answer
from web.charts_api import every_chart
from web.exports import MEDIA_TYPES
from web.uploads_api import PARAMETERS

_ERROR = {
    "description": "one sentence: what, where, which value, what is accepted",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_REV = {
    "name": "rev",
    "in": "query",
    "description": "revision of the facts; the newest by default",
    "schema": {"type": "integer", "minimum": 1},
}


@guarded
def document(request: Request) -> Response:
    """Answer with the OpenAPI document of this server."""
    return json_answer(openapi(public_url(request)), headers={"Cache-Control": "no-cache"})


def openapi(base: str) -> dict[str, Any]:
    """Return the OpenAPI document for a server at this address."""
    paths: dict[str, Any] = {
        "/healthz": _get("Whether the store answers, its newest revision and the model's version", "application/json"),
        "/api/charts": _get("Every chart with the schema of its parameters", "application/json"),
        "/api/revisions": _get("All revisions of the facts, newest first", "application/json"),
        "/feed.xml": _get("The newest revisions as an Atom feed", "application/atom+xml"),
        "/api/links": {
            "post": _post("Keep a chart as it is now and get its address", "application/json", {"$ref": "#/components/schemas/State"})
        },
        "/api/uploads": {
            "post": _post("What a CSV would change; with commit=true one new revision", "text/csv", {"type": "string"}, PARAMETERS)
        },
        "/s/{id}": _get("A link's page: previews, then the exact state", "text/html", [_path("id")]),
    }
    for form in ("csv", "json", "png"):
        paths[f"/s/{{id}}.{form}"] = _get(f"What a link showed, as {form.upper()}", MEDIA_TYPES[form], [_path("id")])
    for chart in every_chart():
        own = _parameters(chart.params.model_json_schema())
        for form, kind in MEDIA_TYPES.items():
            paths[f"/api/charts/{chart.id}.{form}"] = _get(f"{chart.title}, as {form.upper()}", kind, [*own, _REV])
        paths[f"/api/charts/{chart.id}/receipt.json"] = _get(
            f"Formulas, inputs and sources of: {chart.title}", "application/json", [*own, _REV]
        )
    schemas = {
        "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
        "State": {
            "type": "object",
            "required": ["chart"],
            "properties": {
                "page": {"type": "string"},
                "chart": {"type": "string"},
                "params": {"type": "object"},
                "rev": {"type": "integer", "minimum": 1},
            },
        },
    }
    info = {"title": "Ridgepoint", "version": "1", "description": "Charts of AI compute with their numbers, sources and history."}
    return {"openapi": "3.1.0", "info": info, "servers": [{"url": base}], "paths": paths, "components": {"schemas": schemas}}


def _get(summary: str, kind: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    answers = {"200": {"description": summary, "content": {kind: {}}}, "4XX": _ERROR}
    return {"get": {"summary": summary, "parameters": parameters or [], "responses": answers}}


def _post(summary: str, kind: str, schema: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    body = {"required": True, "content": {kind: {"schema": schema}}}
    answers = {"200": {"description": summary, "content": {"application/json": {}}}, "4XX": _ERROR}
    return {"summary": summary, "parameters": parameters or [], "requestBody": body, "responses": answers}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Each field of a chart's parameters as a query parameter; definitions are put in place."""
    definitions = schema.get("$defs", {})
    found = []
    for name, field in schema.get("properties", {}).items():
        inner = (
            definitions.get(field["$ref"].rsplit("/", 1)[-1], {}) | {k: v for k, v in field.items() if k != "$ref"}
            if "$ref" in field
            else field
        )
        parameter = {"name": name, "in": "query", "description": inner.get("description", ""), "schema": inner}
        if inner.get("type") == "array":
            parameter |= {"style": "form", "explode": True}
        found.append(parameter)
    return found
