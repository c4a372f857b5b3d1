"""Box's OpenAPI 3.0 schemas as JSON Schema, with what is known to be otherwise at Box than described."""


def strict(schema, name: str = ""):
    """An OpenAPI 3.0 schema as JSON Schema: `nullable` becomes a type, and codes that the description only tells of
    in prose are let through."""
    if isinstance(schema, list):
        return [strict(one, name) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for word, value in schema.items():
        if word == "properties":
            made[word] = {key: strict(one, key) for key, one in value.items()}
        elif word in ("example", "description", "title", "nullable", "discriminator", "xml") or word.startswith("x-"):
            continue
        elif word == "enum" and name == "code":
            continue
        elif word == "required" and "accessed" in value and "accessed" not in schema.get("properties", {}):
            # Of shared links a member is required that is described nowhere.
            made[word] = [one for one in value if one != "accessed"]
        elif word == "oneOf" and any(str(one.get("$ref", "")).endswith("/GenericSource") for one in value):
            # Whatever else the source of an event is, it is a generic source too.
            made["anyOf"] = strict(value, name)
        elif word == "minItems" and name == "tags":
            # Meant for what a client sends: an item without tags has an empty list.
            continue
        else:
            made[word] = strict(value, name) if word in ("items", "allOf", "oneOf", "anyOf", "additionalProperties") else value
    # Whoever is invited by an address is nobody yet, as at Box.
    # Of the moments of tasks only the prose says that they may be null.
    nullable = name in ("accessible_by", "due_at", "completed_at") or schema.get("nullable") or any(
        isinstance(one, dict) and one.get("nullable") for one in schema.get("allOf", [])
    )
    if not nullable:
        return made
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    if isinstance(made.get("type"), str) and "allOf" not in made:
        made["type"] = [made["type"], "null"]
        return made
    return {"anyOf": [made, {"type": "null"}]}
