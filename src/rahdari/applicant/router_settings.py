"""What to copy into a router or a computer so that it reports its address. Pure text; the same in every language.

Each block was read against the client's own manual; ddclient and inadyn are run with theirs by a test.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

# Until the password is shown, and ever after: it is not kept.
NO_TOKEN = "PASSWORD"  # noqa: S105  (a place to fill in)


@dataclass(frozen=True)
class Settings:
    """The values that every block is made of."""

    site: str
    name: str
    host: str
    token: str
    v6_network: bool

    @property
    def server(self) -> str:
        return urlsplit(self.site).netloc

    @property
    def secure(self) -> bool:
        return urlsplit(self.site).scheme == "https"

    @property
    def url(self) -> str:
        return f"{self.site.rstrip('/')}/nic/update"


@dataclass(frozen=True)
class Client:
    key: str
    title: str
    text: str


def fqdn(name: str, site: str, domain: str) -> str:
    """A full host name, as clients want one. It need not resolve: the first part says which connection it is."""
    host = urlsplit(site).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"{name}.{domain or host or 'ddns.example'}"
    return f"{name}.{domain or 'ddns.example'}"


def clients(settings: Settings) -> list[Client]:
    return [
        Client("fritzbox", "FRITZ!Box", _fritzbox(settings)),
        Client("openwrt", "OpenWrt (ddns-scripts)", _openwrt(settings)),
        Client("mikrotik", "MikroTik RouterOS", _mikrotik(settings)),
        Client("ddclient", "ddclient", _ddclient(settings)),
        Client("inadyn", "inadyn", _inadyn(settings)),
        Client("agent", "rahdari agent announce", _agent(settings)),
        Client("curl", "curl", _curl(settings)),
    ]


def _curl(settings: Settings) -> str:
    return f"curl -u {settings.name}:{settings.token} \\\n  '{settings.url}?hostname={settings.host}'"


def _fritzbox(settings: Settings) -> str:
    v6 = "<ip6lanprefix>" if settings.v6_network else "<ip6addr>"
    return (
        f"Update-URL: {settings.url}?hostname=<domain>&myip=<ipaddr>&myipv6={v6}\n"
        f"Domain name: {settings.host}\nUser name: {settings.name}\nPassword: {settings.token}"
    )


def _openwrt(settings: Settings) -> str:
    scheme, _, rest = settings.url.partition("://")
    values = {
        "enabled": "1",
        "lookup_host": settings.host,
        "domain": settings.host,
        "username": settings.name,
        "password": settings.token,
        "update_url": f"{scheme}://[USERNAME]:[PASSWORD]@{rest}?hostname=[DOMAIN]&myip=[IP]",
        "ip_source": "web",
        "ip_url": f"{settings.site.rstrip('/')}/nic/address",
        "check_interval": "5",
        "check_unit": "minutes",
        "force_interval": "12",
        "force_unit": "hours",
    } | ({"use_https": "1", "cacert": "/etc/ssl/certs"} if settings.secure else {})
    lines = [f"uci set ddns.rahdari.{key}='{value}'" for key, value in values.items()]
    return "\n".join(["uci set ddns.rahdari=service", *lines, "uci commit ddns", "/etc/init.d/ddns restart"])


def _mikrotik(settings: Settings) -> str:
    return (
        "/system script add name=rahdari source={\n"
        f'  /tool fetch url="{settings.url}?hostname={settings.host}" \\\n'
        f'    user="{settings.name}" password="{settings.token}" output=none\n'
        "}\n"
        "/system scheduler add name=rahdari interval=5m on-event=rahdari"
    )


def _ddclient(settings: Settings) -> str:
    site = settings.site.rstrip("/")
    return (
        f"daemon=300\nmax-interval=1d\nssl={'yes' if settings.secure else 'no'}\n"
        f"usev4=webv4, webv4={site}/nic/address\n"
        f"# For IPv6 a second file, with this line in its place:\n# usev6=webv6, webv6={site}/nic/address\n"
        f"protocol=dyndns2\nserver={settings.server}\nscript=/nic/update\n"
        f"login={settings.name}\npassword='{settings.token}'\n{settings.host}"
    )


def _inadyn(settings: Settings) -> str:
    ssl = "true" if settings.secure else "false"
    return (
        # Without the third line an answer over IPv6 is taken for no address.
        f"period = 300\nforced-update = 86400\nallow-ipv6 = true\n\ncustom rahdari {{\n"
        f"    username = {settings.name}\n    password = {settings.token}\n    hostname = {settings.host}\n"
        f"    checkip-server = {settings.server}\n    checkip-path = /nic/address\n    checkip-ssl = {ssl}\n"
        f"    ddns-server = {settings.server}\n"
        f'    ddns-path = "/nic/update?hostname=%h&myip=%i"\n    ssl = {ssl}\n}}'
    )


def _agent(settings: Settings) -> str:
    return (
        "# /etc/rahdari/announce.conf, chmod 600; then\n"
        "# rahdari agent announce --once, or with a timer:\n"
        "# rahdari agent announce --units /etc/systemd/system\n"
        f"server = {settings.site.rstrip('/')}\nname = {settings.name}\ntoken = {settings.token}"
    )
