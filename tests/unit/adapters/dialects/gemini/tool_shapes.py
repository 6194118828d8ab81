"""Schemas of tools in the shapes that MCP servers publish: what Zod, Pydantic, Go structs and hands write."""

from typing import Any

Schema = dict[str, Any]

S: Schema = {"type": "string"}
N: Schema = {"type": "number"}
I: Schema = {"type": "integer"}  # noqa: E741
B: Schema = {"type": "boolean"}


def obj(required: str = "", /, **properties: Any) -> Schema:
    return (
        {"type": "object", "properties": properties, "required": required.split()}
        if required
        else {
            "type": "object",
            "properties": properties,
        }
    )


def arr(items: Any, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def maybe(schema: Schema, **more: Any) -> Schema:
    """As Pydantic writes an optional."""
    return {"anyOf": [schema, {"type": "null"}], "default": None, **more}


def zod(schema: Schema) -> Schema:
    return {**schema, "additionalProperties": False, "$schema": "http://json-schema.org/draft-07/schema#"}


NODE = {
    "$defs": {"Node": obj("name", name=S, children=arr({"$ref": "#/$defs/Node"}))},
    **obj("root", root={"$ref": "#/$defs/Node"}),
}
FILTER = {
    "$defs": {
        "Condition": obj("field op", field=S, op={"enum": ["eq", "ne", "gt"]}, value={"type": ["string", "number"]}),
        "Group": obj(
            "all",
            all=arr({"anyOf": [{"$ref": "#/$defs/Condition"}, {"$ref": "#/$defs/Group"}]}),
        ),
    },
    **obj("filter", filter={"$ref": "#/$defs/Group"}, limit={**I, "minimum": 1, "maximum": 100, "default": 20}),
}

SHAPES: dict[str, Schema] = {
    # filesystem
    "read_file": zod(obj("path", path=S, head={**N, "description": "First lines"}, tail=N)),
    "read_many": zod(obj("paths", paths=arr(S, minItems=1, description="Paths"))),
    "edit_file": zod(
        obj(
            "path edits",
            path=S,
            edits=arr({**obj("oldText newText", oldText=S, newText=S), "additionalProperties": False}),
            dryRun={**B, "default": False},
        )
    ),
    "list_sizes": zod(obj("path", path=S, sortBy={**S, "enum": ["name", "size"], "default": "name"})),
    "search_files": zod(obj("path pattern", path=S, pattern=S, excludePatterns=arr(S, default=[]))),
    # github
    "create_issue": zod(
        obj("owner repo title", owner=S, repo=S, title=S, body=S, assignees=arr(S), milestone=N, labels=arr(S))
    ),
    "list_commits": obj(
        "owner repo", owner=S, repo=S, perPage={**N, "minimum": 1, "maximum": 100}, page={**N, "minimum": 1}
    ),
    "push_files": zod(obj("branch files", branch=S, files=arr(obj("path content", path=S, content=S)))),
    "merge": zod(obj("pull", pull=I, method={"type": "string", "enum": ["merge", "squash", "rebase"]})),
    "review": obj(
        "event",
        event={"const": "APPROVE"},
        comments=arr(
            {
                "anyOf": [
                    obj("path position body", path=S, position=N, body=S),
                    obj("path line body", path=S, line=N, body=S),
                ]
            }
        ),
    ),
    # slack, mail, chat
    "post_message": obj("channel_id text", channel_id=S, text=S),
    "history": obj("channel", channel=S, limit={**N, "description": "How many", "default": 10}),
    "send_mail": obj(
        "to subject",
        to=arr({**S, "format": "email"}, minItems=1),
        subject={**S, "maxLength": 200},
        priority={"enum": [1, 2, 3]},
        importance={**S, "enum": ["low", "", "high"]},
    ),
    # databases
    "query": obj("sql", sql=S),
    "query_params": obj("sql", sql=S, params=arr({"type": ["string", "number", "boolean", "null"]})),
    "insert": obj("table row", table=S, row={"type": "object", "additionalProperties": {"type": ["string", "number"]}}),
    "mongo_find": obj(
        "collection",
        collection=S,
        filter={"type": "object"},
        sort={"type": "object", "additionalProperties": {"enum": [1, -1]}},
    ),
    "redis_set": obj("key value", key=S, value={}, ttl={**I, "exclusiveMinimum": 0}),
    "tree": NODE,
    "filter": FILTER,
    # browsers
    "navigate": zod(obj("url", url={**S, "format": "uri"})),
    "click": zod(obj("element ref", element=S, ref=S, button={"type": "string", "enum": ["left", "right", "middle"]})),
    "screenshot": obj(
        "", fullPage=B, width={**N, "default": 800}, clip={"type": ["object", "null"], "properties": {"x": N, "y": N}}
    ),
    "wait": obj("", time={**N, "exclusiveMinimum": 0, "maximum": 60}, text=S),
    "snapshot": {"type": "object", "properties": {}, "additionalProperties": False},
    # jira, linear, notion
    "jql": obj("jql", jql=S, maxResults={**I, "minimum": 1, "maximum": 50, "default": 10}, fields=maybe(arr(S))),
    "jira_create": obj(
        "project type", project=S, type=S, additional=maybe({"type": "object", "additionalProperties": True})
    ),
    "linear_update": obj(
        "id",
        id={**S, "format": "uuid"},
        priority={"type": "integer", "enum": [0, 1, 2, 3, 4]},
        dueDate=maybe({**S, "format": "date"}),
    ),
    "notion_block": {
        "$defs": {"Text": {"type": "object", "properties": {"content": S}, "required": ["content"], "title": "Text"}},
        **obj("children", children=arr({"oneOf": [{"$ref": "#/$defs/Text"}, {"type": "string"}]})),
    },
    "notion_filter": {
        "definitions": {"Filter": {"allOf": [obj("property", property=S), obj("", equals=S, contains=S)]}},
        **obj("", filter={"$ref": "#/definitions/Filter", "description": "What to keep"}),
    },
    # calendars and maps
    "create_event": obj(
        "start end",
        start={**S, "format": "date-time"},
        end={**S, "format": "date-time"},
        attendees=arr(obj("email", email={**S, "format": "email"}, optional=B)),
        recurrence=maybe(arr({**S, "pattern": "^RRULE:"})),
    ),
    "free_busy": obj("ids", ids={"anyOf": [S, arr(S)]}, timeZone=S),
    "directions": obj(
        "origin destination",
        origin={
            "anyOf": [
                S,
                obj("lat lng", lat={**N, "minimum": -90, "maximum": 90}, lng={**N, "minimum": -180, "maximum": 180}),
            ]
        },
        destination=S,
        mode={**S, "enum": ["driving", "walking", "transit"]},
        waypoints=arr(S, maxItems=8),
    ),
    "bounding_box": obj("box", box={"type": "array", "prefixItems": [N, N, N, N], "items": False, "minItems": 4}),
    "point": obj("at", at={"type": "array", "items": [N, N], "minItems": 2, "maxItems": 2}),
    # shells, money, thoughts, charts
    "run": obj(
        "command",
        command={"anyOf": [S, arr(S)]},
        timeout={"type": ["integer", "null"], "minimum": 1},
        env={"type": "object", "patternProperties": {"^[A-Z_]+$": S}},
    ),
    "transfer": obj(
        "amount",
        amount={**N, "exclusiveMinimum": 0, "multipleOf": 0.01},
        currency={**S, "pattern": "^[A-Z]{3}$"},
        memo={**S, "pattern": "^(?!.*secret).*$"},
    ),
    "think": obj(
        "thought number total",
        thought=S,
        number={**I, "minimum": 1},
        total={"type": "integer", "minimum": 1},
        branch=S,
        again={**B, "const": True},
    ),
    "chart": {
        "type": "object",
        "properties": {
            "kind": S,
            "data": arr(arr(N)),
            "options": {"type": "object", "properties": {"stack": {"const": True}}},
        },
        "required": ["kind", "data"],
        "anyOf": [{"required": ["options"]}, {"properties": {"kind": {"const": "line"}}}],
    },
    "union": {
        "anyOf": [
            obj("kind url", kind={"const": "web"}, url=S),
            obj("kind path", kind={"const": "file"}, path=S, depth=I),
        ]
    },
    "discriminated": obj(
        "shape",
        shape={
            "oneOf": [
                obj("type radius", type={"const": "circle"}, radius={**N, "minimum": 0}),
                obj("type side", type={"const": "square"}, side={**N, "minimum": 0}),
            ],
            "discriminator": {"propertyName": "type"},
        },
    ),
    "conditional": {
        **obj("mode", mode=S, path=S),
        "if": {"properties": {"mode": {"const": "file"}}},
        "then": {"required": ["path"]},
    },
    "untyped": {
        "properties": {"name": {"minLength": 1}, "tags": {"items": S, "uniqueItems": True}},
        "required": ["name", "extra"],
    },
    "anchored": {"$defs": {"id": {"$anchor": "ident", **S, "minLength": 3}}, **obj("id", id={"$ref": "#ident"})},
    "nullable": obj("a", a={**S, "nullable": True}, b={"type": "null"}, c={"enum": ["x", None]}, d={"const": None}),
    "draft4": obj("n", n={**N, "minimum": 0, "exclusiveMinimum": True}, m={**I, "maximum": 9, "exclusiveMaximum": 9}),
}
"""By the tool they are of."""
