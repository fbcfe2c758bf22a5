"""Reads a connection from the environment and `.env`, and says what is wrong with it in one sentence."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from adapters.accounting.registry import registered
from adapters.connection import ExportConnection
from adapters.pleo import settings

PREFIX = "PLEO_EXPORT_"


class ConfigurationError(Exception):
    """A setting is missing or malformed. The text is one sentence that names the variable and the remedy."""


class _FromEnvironment(ExportConnection, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )


def load_connection(env_file: Path | None = Path(".env")) -> ExportConnection:
    """Read the connection from `PLEO_EXPORT_…` variables; those of the process win over the file's.

    Args:
        env_file: file of `NAME=value` lines; one that does not exist is passed over.

    Raises:
        ConfigurationError: naming the variable that is missing, malformed or unknown.

    """
    try:
        values = _FromEnvironment(_env_file=env_file, _env_file_encoding="utf-8")
    except ValidationError as error:
        raise ConfigurationError(sentence_about(error)) from None
    except SettingsError as error:
        raise ConfigurationError(_about_unreadable(str(error))) from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"The file {env_file} cannot be read as UTF-8 text.") from None
    _refuse_unknown_names([*os.environ, *(dotenv_values(env_file) if env_file else ())])
    return ExportConnection.model_validate(dict(values))


def environment_is_set(env_file: Path = Path(".env")) -> bool:
    """Tell whether any setting stands in the environment or the file, be it valid or not."""
    try:
        in_file = list(dotenv_values(env_file))
    except (OSError, UnicodeDecodeError):
        return True  # what is wrong with it is for `load_connection` to say
    return any(name.upper().startswith(PREFIX) for name in [*os.environ, *in_file])


def sentence_about(error: ValidationError) -> str:
    """Say in one sentence which variable is wrong and what to do; no value is repeated."""
    details = error.errors(include_input=False, include_url=False)
    malformed = [d for d in details if d["type"] not in {"missing", "union_tag_not_found"}]
    if malformed:
        return _about_malformed(malformed[0])
    names = [variable_name(_location(d)) for d in details]
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return f"{_joined(names)} {verb} not set; set {them} in the environment or in .env."


def variable_name(location: Iterable[str | int]) -> str:
    """Name of the variable of a setting, `('pleo', 'base_url')` being `PLEO_EXPORT_PLEO__BASE_URL`."""
    return PREFIX + "__".join(str(part).upper() for part in location)


def _location(detail: ErrorDetails) -> list[str | int]:
    """Path of the setting without the name of the union's member that pydantic puts in."""
    path = list(detail["loc"])
    if path[:1] == ["accounting"] and len(path) > 1 and path[1] in registered():
        del path[1]
    if (detail["type"] == "missing" and path == ["accounting"]) or detail["type"] == "union_tag_not_found":
        path = ["accounting", "system"]
    if detail["type"] == "missing" and path == ["pleo"]:
        path = ["pleo", "base_url"]
    return path


def _about_malformed(detail: ErrorDetails) -> str:
    name = variable_name(_location(detail))
    context: Mapping[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"{name} is not a setting of this integration; check its spelling or remove it."
        case settings.NOT_ONE_CREDENTIAL:
            return (
                f"Set exactly one of {PREFIX}PLEO__API_KEY, {PREFIX}PLEO__ACCESS_TOKEN "
                f"and {PREFIX}PLEO__OAUTH__CLIENT_ID with its companions."
            )
        case "union_tag_invalid":
            return f"{PREFIX}ACCOUNTING__SYSTEM must be one of: {', '.join(registered())}."
        case "value_error":
            return f"{name} {context.get('error', 'is not valid')}."
        case "enum" | "literal_error":
            return f"{name} must be one of: {str(context['expected']).replace(chr(39), '')}."
        case _:
            return f"{name} is not valid: {detail['msg'][:1].lower()}{detail['msg'][1:]}."


def _about_unreadable(text: str) -> str:
    """pydantic-settings names the field whose JSON it could not read, in quotes."""
    parts = text.split('"')
    name = variable_name(parts[1:2])
    return f"{name} is not valid JSON; set its parts by name, such as {PREFIX}PLEO__BASE_URL."


def _refuse_unknown_names(names: Iterable[str]) -> None:
    known = {variable_name([field]) for field in ExportConnection.model_fields}
    for name in sorted(names):
        if not name.upper().startswith(PREFIX) or name.upper().split("__")[0] in known:
            continue
        near = difflib.get_close_matches(name.upper(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else "check its spelling or remove it."
        raise ConfigurationError(f"{name} is not a setting of this integration; {hint}")


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
