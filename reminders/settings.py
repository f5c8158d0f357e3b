"""Every setting of an installation, from the environment first and `reminders.toml` second.

Invariant: all bad values are reported at once, by name, and never with their value (it may be a secret).
"""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from reminders.errors import BadInput

CONFIG_FILE = "reminders.toml"
KEY_FILE = "reminders.key"
SHORTEST_KEY = 32
_SHORT_KEY = f"a key is any text of {SHORTEST_KEY} characters or more"
_NOT_AN_ADDRESS = "give the address of the installation, such as https://reminders.clinic.example"
_NOT_A_DATABASE = "give sqlite:///FILE or postgresql://…"
_NOT_A_TRANSPORT = "give smtp://user:password@host:587, smtps://…, or file:DIR"
_NOT_A_PLACE = "give a host and a port, such as 127.0.0.1:8000"
_NOT_A_FOLDER = "give a folder, such as /var/lib/reminders"
_NO_HOME = "REMINDERS_STATE: it is not set, and this user has no home folder to remember in; give a folder"
_NOT_A_PING = "give an https address, or an http one of this machine"
_NOT_A_RESOLVER = "give the address of a resolver, such as 9.9.9.9 or 127.0.0.1:5353, several by comma"
_LAST_PORT = 65535
_DNS_PORT = 53
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_RESOLVER = re.compile(
    r"(?:(?P<bare>[^:\[\]]+)|\[(?P<bracketed>[^\[\]]+)\])(?::(?P<port>[0-9]{1,5}))?|(?P<alone>[^\[\]]+)"
)
_OUR_WORDS = {
    "extra_forbidden": "there is no such setting",
    "literal_error": "it is one of {expected}",
    "greater_than_equal": "it is {ge} or more",
    "less_than_equal": "it is {le} or less",
    "int_parsing": "it is a whole number",
    "int_type": "it is a whole number",
    "string_type": "it is a text",
}
"""What is wrong with a value, by the checker's own word for it."""


class BadSettings(BadInput):
    """These settings cannot be used: {problems}. Mend them in the environment or in the configuration file."""


class NoConfigFile(BadInput):
    """There is no configuration file at {path}: give --config the path of an existing file."""


class Settings(BaseSettings):
    """The settings of one installation; names in the environment carry the prefix REMINDERS_."""

    model_config = SettingsConfigDict(env_prefix="REMINDERS_", extra="forbid", frozen=True, hide_input_in_errors=True)

    database_url: str = "sqlite:///reminders.db"
    smtp_url: str | None = None
    base_url: str | None = None
    secret_key: Annotated[tuple[str, ...], NoDecode] = ()
    secret_key_file: Path = Path(KEY_FILE)
    listen: str = "127.0.0.1:8000"
    lease_s: int = Field(default=60, ge=5, le=3600)
    round: int = Field(default=1, ge=1, le=32)
    log: Literal["text", "json"] = "text"
    dns: Annotated[tuple[str, ...], NoDecode] = ()
    state: Path | None = None
    ping_url: str | None = None
    engine: Literal["auto", "local", "distributed"] = "auto"
    keep_messages_days: int = Field(default=90, ge=0, le=36_500)

    @field_validator("secret_key", mode="before")
    @classmethod
    def _several_keys(cls, value: object) -> object:
        """Split a ring of keys, newest first; each is 32 characters or more."""
        if not isinstance(value, str):
            return value
        return split_keys(value)

    @field_validator("base_url")
    @classmethod
    def _a_web_address(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        try:
            parts = urlsplit(value.strip())
        except ValueError:  # a bracket that is not closed
            raise ValueError(_NOT_AN_ADDRESS) from None
        plain = all("!" <= mark <= "~" and mark not in '<>"\\' for mark in value.strip())  # it stands in mail headers
        whole = parts.scheme in ("http", "https") and parts.netloc and not (parts.query or parts.fragment)
        if not (plain and whole) or "@" in parts.netloc:
            raise ValueError(_NOT_AN_ADDRESS)
        return value.strip().rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _a_known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError(_NOT_A_DATABASE)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _a_known_transport(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        if not value.startswith(("smtp://", "smtps://", "file:")):
            raise ValueError(_NOT_A_TRANSPORT)
        return value

    @field_validator("listen")
    @classmethod
    def _a_place_to_listen(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise ValueError(_NOT_A_PLACE)
        return value

    @field_validator("ping_url")
    @classmethod
    def _an_address_to_ask(cls, value: str | None) -> str | None:
        """Take an https address, or an http one of this machine: the path of such an address is a secret."""
        if value is None or not value.strip():
            return None
        try:
            parts = urlsplit(value.strip())
            there = parts.hostname and (parts.port is None or parts.port)
        except ValueError:
            raise ValueError(_NOT_A_PING) from None
        plain = all("!" <= mark <= "~" for mark in value.strip())  # it becomes a line of HTTP
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if not (there and plain and known) or "@" in parts.netloc:
            raise ValueError(_NOT_A_PING)
        return value.strip()

    @field_validator("state", mode="before")
    @classmethod
    def _a_folder(cls, value: object) -> object:
        """Take a folder as it is meant where the program was started; an empty one counts as none."""
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        if "\0" in value:
            raise ValueError(_NOT_A_FOLDER)
        try:
            return Path(value.strip()).expanduser().absolute()
        except RuntimeError:  # a user that is not known
            raise ValueError(_NOT_A_FOLDER) from None

    @field_validator("dns", mode="before")
    @classmethod
    def _several_resolvers(cls, value: object) -> object:
        """Split a list of resolvers; each is an address of the network, with a port or without."""
        listed = tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
        if isinstance(listed, list | tuple):
            for one in listed:
                resolver(str(one))
        return listed

    @property
    def file(self) -> Path | None:
        """Return the configuration file that was read, None without one."""
        named = type(self).model_config.get("toml_file")
        return named if isinstance(named, Path) and named.is_file() else None

    @property
    def resolvers(self) -> tuple[tuple[str, int], ...]:
        """Return address and port of every resolver that was named; none means the machine's own."""
        return tuple(resolver(one) for one in self.dns)

    @property
    def link_base(self) -> str | None:
        """Return the base of links in mail: only an https address is one that a patient could open."""
        return self.base_url if self.base_url and self.base_url.startswith("https://") else None

    @property
    def state_folder(self) -> Path:
        """Return where this machine remembers what no database can: REMINDERS_STATE, else the user's state folder.

        Raises `BadSettings` where there is neither.
        """
        found = self.state or self.usual_state_folder
        if found is None:
            raise BadSettings(problems=_NO_HOME)
        return found

    @property
    def usual_state_folder(self) -> Path | None:
        """Return the user's state folder, None for a user without a home.

        The rule is that of the XDG Base Directory specification: a relative XDG_STATE_HOME counts as none.
        """
        given = Path(os.environ.get("XDG_STATE_HOME", ""))
        try:
            home = given if given.is_absolute() else Path.home() / ".local" / "state"
        except RuntimeError:
            return None
        return home / "reminders" if home.is_absolute() else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what a test or a demo gives, then the environment, then the configuration file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def split_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a comma-separated ring, newest first; a short one is a ValueError that does not show it."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise ValueError(_SHORT_KEY)
    return keys


def resolver(text: str) -> tuple[str, int]:
    """Return address and port of a resolver such as 9.9.9.9, 127.0.0.1:5353 or [::1]:53; else a ValueError."""
    found = _RESOLVER.fullmatch(text.strip())
    host = next(filter(None, found.group("alone", "bracketed", "bare")), "") if found else ""
    port = int(found["port"] or _DNS_PORT) if found else 0
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ValueError(_NOT_A_RESOLVER) from None
    if not 0 < port <= _LAST_PORT:
        raise ValueError(_NOT_A_RESOLVER)
    return str(address), port


def load_settings(config: Path | None = None, **given: object) -> Settings:
    """Return the settings; `config` names the TOML file, otherwise `reminders.toml` here is read if there is one.

    Raises `BadSettings` naming every bad value, `NoConfigFile` when the named file is missing.
    """
    if config is not None and not config.is_file():
        raise NoConfigFile(path=config)

    class Located(Settings):
        model_config = SettingsConfigDict(toml_file=config or Path(CONFIG_FILE))

    try:
        return Located(**given)  # type: ignore[arg-type]  # values are checked by pydantic, whatever their type
    except ValidationError as error:
        raise BadSettings(problems=_problems(error)) from None
    except ValueError:
        raise BadSettings(problems=f"{config or CONFIG_FILE} is not a TOML file") from None


def _problems(error: ValidationError) -> str:
    found = []
    for problem in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in problem["loc"]) or "the configuration file"
        ours = _OUR_WORDS.get(problem["type"])
        words = ours.format(**problem.get("ctx", {})) if ours else problem["msg"].removeprefix("Value error, ")
        found.append(f"REMINDERS_{name.upper()}: {words}")
    return "; ".join(found)
