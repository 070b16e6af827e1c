"""The settings of a server. Flags, environment variables, their checks and the documentation's table all come from one table.

The table is the fields of `Settings`: each has a type, a default, a help text and the `Allowed` values.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final

from mock_klarna.allowed_values import (
    ALL_ADDRESSES,
    ALLOWED_HOSTS,
    BOOLEAN,
    HOST,
    HOST_NAMES,
    PATH,
    PATHS,
    RATE,
    REWRITES,
    SEED,
    SEVERAL,
    STORE,
    TARGETS,
    Allowed,
    integer,
    number,
    one_of,
    pairs,
)
from mock_klarna.errors import did_you_mean

PREFIX: Final = "MOCK_KLARNA_"
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://", re.IGNORECASE)
_SERVICE_NAME = re.compile(
    PREFIX + r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|ENV_\w+|NAME)"
)


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names the setting, the value and the allowed values."""


def _without_password(value: Any) -> Any:
    """Return a value for a message: the password of a URL is replaced."""
    if not isinstance(value, str):
        return value
    return re.sub(r"([?&]password=)[^&]*", r"\1...", re.sub(r"(://[^:/@]*:).*@", r"\1...@", value))


SERVER, TLS, CALLBACKS, BEHAVIOUR, LIMITS = GROUPS = ("Server", "TLS", "Callbacks", "Behaviour", "Limits")
"""The groups of settings, in the order of the help."""


def _setting(
    default: Any, allowed: Allowed, meaning: str, *, metavar: str = "", repeat: bool = False, group: str = SERVER
) -> Any:
    metadata = {"allowed": allowed.text, "words": allowed.words, "parse": allowed.parse, "validate": allowed.validate}
    metadata |= {"help": meaning, "metavar": metavar, "repeat": repeat, "group": group}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a server behaves. Every field is a flag `--field-name` and an environment variable `MOCK_KLARNA_FIELD_NAME`.

    Raises `SettingsError` for a value that a setting does not allow.
    """

    host: str = _setting("127.0.0.1", HOST, "address to listen on", metavar="HOST")
    allowed_host: tuple[str, ...] = _setting(
        (),
        ALLOWED_HOSTS,
        "further host name of this server by which the control API may be called; * accepts every one",
        metavar="NAME",
        repeat=True,
    )
    port: int = _setting(8080, integer(0, 65535), "port to listen on; 0 takes any free one", metavar="PORT")
    ready_file: str = _setting(
        "", PATH, "file that is written with {url, port, pid} once requests are accepted", metavar="PATH"
    )
    credentials: tuple[str, ...] = _setting(
        (),
        pairs(":", "USER:PASSWORD"),
        "the only credentials that are accepted; without it any non-empty ones are",
        metavar="USER:PASSWORD",
        repeat=True,
    )
    strict: bool = _setting(
        False,
        BOOLEAN,
        "demand what the documents demand: https, the authorized order, known deny forms",
        group=BEHAVIOUR,
    )
    seed: str = _setting("", SEED, "seed of all ids and shoppers; without it every start has its own", metavar="SEED")
    environment: str = _setting(
        "",
        one_of("production", "playground"),
        "the one environment that pages may name in setup; without it both are accepted",
        metavar="NAME",
        group=BEHAVIOUR,
    )
    region: str = _setting(
        "",
        one_of("eu", "na", "oc"),
        "the one region that pages may name in setup; without it all are accepted",
        metavar="NAME",
        group=BEHAVIOUR,
    )
    store: str = _setting(
        "memory",
        STORE,
        "where the state is stored: memory, sqlite:PATH to survive a restart, or postgresql: for several servers",
        metavar="STORE",
    )
    log_format: str = _setting(
        "text", one_of("text", "json"), "form of the lines that say what happens, on standard error", metavar="FORMAT"
    )
    quiet: bool = _setting(
        False,
        BOOLEAN,
        "print warnings and errors of the server only, not what happens; `run` prints failures and the counts",
    )
    verbose: bool = _setting(
        False, BOOLEAN, "print every event, with ids in full; `run` prints the timeline of passed scenarios too"
    )
    callback_timeout: float = _setting(
        10.0,
        number(0.01, 600),
        "seconds that a merchant may take to answer a callback",
        metavar="SECONDS",
        group=CALLBACKS,
    )
    callback_host_rewrite: tuple[str, ...] = _setting(
        (),
        REWRITES,
        "send callbacks for one host to another, such as localhost=host.docker.internal",
        metavar="FROM=TO",
        repeat=True,
        group=CALLBACKS,
    )
    callback_allow: tuple[str, ...] = _setting(
        (),
        TARGETS,
        "network, address or host that callbacks may be sent to although it is denied or link-local",
        metavar="TARGET",
        repeat=True,
        group=CALLBACKS,
    )
    callback_deny: tuple[str, ...] = _setting(
        (),
        TARGETS,
        "network, address or host that callbacks are not sent to, beside link-local and metadata addresses",
        metavar="TARGET",
        repeat=True,
        group=CALLBACKS,
    )
    callback_ca: tuple[str, ...] = _setting(
        (),
        PATHS,
        "file of certificates in PEM that are trusted for callbacks, beside the system's own",
        metavar="PATH",
        repeat=True,
        group=CALLBACKS,
    )
    callback_insecure: bool = _setting(
        False, BOOLEAN, "send callbacks to https sites with certificates of any issuer", group=CALLBACKS
    )
    tls: bool = _setting(False, BOOLEAN, "serve https beside http, in the names of Klarna's hosts", group=TLS)
    tls_port: int = _setting(8443, integer(0, 65535), "port of https; 0 takes any free one", metavar="PORT", group=TLS)
    tls_name: tuple[str, ...] = _setting(
        (),
        HOST_NAMES,
        "further host name or address that the certificate names",
        metavar="NAME",
        repeat=True,
        group=TLS,
    )
    tls_folder: str = _setting(
        "",
        PATH,
        "folder that keeps the certificate authority; without it every start has its own",
        metavar="PATH",
        group=TLS,
    )
    tls_cert: str = _setting(
        "",
        PATH,
        "certificate in PEM to use: an authority's, or the server's own with its chain",
        metavar="PATH",
        group=TLS,
    )
    tls_key: str = _setting("", PATH, "private key of --tls-cert in PEM", metavar="PATH", group=TLS)
    separate_regions: bool = _setting(
        False,
        BOOLEAN,
        "each of Klarna's API hosts has its own credentials (USER:PASSWORD@HOST), keys and tokens",
        group=BEHAVIOUR,
    )
    merchant_timeout: float = _setting(
        60.0,
        number(0, 86400),
        "seconds that a shopper waits for the merchant to place or deny; 0 waits as long as the token lives",
        metavar="SECONDS",
        group=BEHAVIOUR,
    )
    timeout_ends_token: bool = _setting(
        True, BOOLEAN, "a token is dead once its shopper has stopped waiting", group=BEHAVIOUR
    )
    token_lifetime: float = _setting(
        3600.0, number(1, 86400 * 30), "seconds that an authorization token lives", metavar="SECONDS", group=BEHAVIOUR
    )
    repeated_order: str = _setting(
        "replay",
        one_of("replay", "refuse"),
        "an order posted again unchanged gets the first answer, or 403",
        metavar="ANSWER",
        group=BEHAVIOUR,
    )
    sum_tolerance: str = _setting(
        "exact",
        one_of("exact", "lines"),
        "how far both sums of an order may be from those of its lines: not at all, or by one for each line",
        metavar="HOW",
        group=BEHAVIOUR,
    )
    billing_address_change: str = _setting(
        "refuse",
        one_of("refuse", "accept"),
        "a customer-details request with another billing address gets 403, or changes it as Klarna did until 2022",
        metavar="ANSWER",
        group=BEHAVIOUR,
    )
    update_failure: str = _setting(
        "keep",
        one_of("keep", "abort"),
        "when an update callback fails the session stays as it was, or the purchase fails",
        metavar="WHAT",
        group=CALLBACKS,
    )
    push_schedule: str = _setting(
        "push",
        one_of("push", "push-old"),
        "Klarna's newer or older schedule for repeating a push",
        metavar="SCHEDULE",
        group=CALLBACKS,
    )
    pending_everywhere: bool = _setting(
        False, BOOLEAN, "the pending e-mail triggers work outside the US and the UK too", group=BEHAVIOUR
    )
    shipping_method_case: str = _setting(
        "kebab",
        one_of("kebab", "as-sent"),
        "spelling of shipping_method in callbacks: box-reg, or as the page sent it",
        metavar="CASE",
        group=CALLBACKS,
    )
    confirmation_order_id: bool = _setting(False, BOOLEAN, "add ?order_id= to the confirmation URL", group=BEHAVIOUR)
    unauthorized_body: str = _setting(
        "klarna",
        one_of("klarna", "gateway"),
        "body of a 401: an error object, or the one seen from Klarna's gateway",
        metavar="FORM",
        group=BEHAVIOUR,
    )
    max_body: int = _setting(
        8 << 20, integer(1024, 1 << 30), "bytes of a request body that are read at most", metavar="BYTES", group=LIMITS
    )
    body_timeout: float = _setting(
        30.0,
        number(0.1, 3600),
        "seconds that the headers of a request may take to arrive, and then its body",
        metavar="SECONDS",
        group=LIMITS,
    )
    scenarios: str = _setting("", PATH, "folder of scenarios that are offered beside the stored ones", metavar="PATH")
    rate_limit: str = _setting(
        "",
        RATE,
        "requests a second of each merchant: production, playground or a number such as 20/s; without it any",
        metavar="RATE",
        group=LIMITS,
    )
    journal_bytes: int = _setting(
        8 << 20, integer(65536, 1 << 34), "bytes of journal kept for each merchant", metavar="BYTES", group=LIMITS
    )
    all_journals_bytes: int = _setting(
        64 << 20,
        integer(65536, 1 << 36),
        "bytes of journal kept for all merchants together; the largest journal is cut first",
        metavar="BYTES",
        group=LIMITS,
    )
    max_callbacks: int = _setting(
        10_000, integer(10, 10_000_000), "callbacks kept for each merchant", metavar="COUNT", group=LIMITS
    )
    loop: str = _setting(
        "auto",
        one_of("auto", "asyncio", "uvloop"),
        "event loop of the server's process: auto takes uvloop where it is installed (mock-klarna[fast])",
        metavar="NAME",
    )

    def __post_init__(self) -> None:
        """Check every value that is not the default."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if value is not setting.default:
                object.__setattr__(self, setting.name, validated(setting, value, setting.name))

    def default_credentials(self) -> tuple[str, str]:
        """Return a username and a password that the server accepts: the first of `credentials`, or any where all are."""
        user, _, password = (self.credentials or ("mock-merchant:secret",))[0].partition(":")
        return user, password


def validated(setting: Field[Any], value: Any, source: str, collection: str = "tuple") -> Any:
    """Return a setting's value in its normal form; raises `SettingsError` naming the source, the value and the allowed values.

    `collection` is the name of a tuple where the value comes from.
    """
    if type(value) is type(setting.default) and value == setting.default:
        return value
    try:
        return setting.metadata["validate"](value)
    except ValueError as error:
        allowed = str(error)
        if isinstance(setting.default, tuple):
            allowed = f"a {collection} of texts, each {allowed.removesuffix(SEVERAL)}"
        value = list(value) if collection == "list" and isinstance(value, tuple) else value
        raise _refusal(setting, value, allowed, source) from None


def _refusal(setting: Field[Any], value: Any, allowed: str, source: str) -> SettingsError:
    """Return the error for a value; it suggests the word that was probably meant."""
    near = did_you_mean(value, setting.metadata["words"]) if isinstance(value, str) else ""
    return SettingsError(f"{source}: {_without_password(value)!r} is not {allowed}" + (near and f"; {near}"))


def without_secrets(setting: Field[Any], value: Any) -> Any:
    """Return a setting's value as anybody may see it: passwords are replaced by `...`."""
    if setting.name == "credentials":
        return [f"{pair.partition(':')[0]}:..." for pair in value]
    return _without_password(value)


def setting_fields() -> tuple[Field[Any], ...]:
    """Return the fields of `Settings` in order.

    Their metadata: `allowed`, `words`, `help`, `metavar`, `parse`, `validate`, `repeat`, `group`.
    """
    return fields(Settings)


def flag_of(name: str) -> str:
    """Return the command-line flag of a setting: `ready_file` is `--ready-file`."""
    return "--" + name.replace("_", "-")


def variable_of(name: str) -> str:
    """Return the environment variable of a setting: `ready_file` is `MOCK_KLARNA_READY_FILE`."""
    return PREFIX + name.upper()


def parsed(setting: Field[Any], text: str, source: str) -> Any:
    """Return a setting's value from text; raises `SettingsError` naming the source, the text and the allowed values."""
    try:
        return setting.metadata["parse"](text)
    except ValueError as error:
        raise _refusal(setting, text, str(error), source) from None


def server_url(scheme: str, host: str, port: int) -> str:
    """Return the URL at which a server on this machine answers if its settings `host` and `port` are these."""
    name = "127.0.0.1" if host in ALL_ADDRESSES else "::1" if host == "::" else host
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


def is_service_variable(name: str, value: str) -> bool:
    """Return whether a variable describes a service of a name like ours, not a setting.

    Kubernetes and Docker's links set such variables in the containers beside a service: for the service `mock-klarna`
    `MOCK_KLARNA_PORT=tcp://10.0.0.1:8080`, `MOCK_KLARNA_SERVICE_HOST` and others.
    """
    if name.removeprefix(PREFIX).lower() in {setting.name for setting in setting_fields()}:
        return name.endswith("PORT") and _SERVICE_ADDRESS.match(value) is not None
    return _SERVICE_NAME.fullmatch(name) is not None


def variable_with_value(setting_name: str, environ: Mapping[str, str]) -> str | None:
    """Return the name of the variable that gives a setting its value, if one does; `PORT` stands in for `MOCK_KLARNA_PORT`."""
    names = (variable_of(setting_name), "PORT") if setting_name == "port" else (variable_of(setting_name),)
    for name in names:
        if environ.get(name) and not is_service_variable(name, environ[name]):
            return name
    return None


def value_from(environ: Mapping[str, str], setting: Field[Any]) -> Any:
    """Return a setting's value from its variable, or its default; raises `SettingsError` for a value that is not allowed."""
    variable = variable_with_value(setting.name, environ)
    return parsed(setting, environ[variable], variable) if variable else setting.default


def from_environment(environ: Mapping[str, str], flags: Mapping[str, Any] = {}) -> Settings:
    """Return the settings of flags over environment variables over defaults.

    Raises `SettingsError` for a value that is not allowed; the variable of a setting that a flag gives is not read.
    """
    others = (setting for setting in setting_fields() if setting.name not in flags)
    return Settings(**{setting.name: value_from(environ, setting) for setting in others}, **flags)
