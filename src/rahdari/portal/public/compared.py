"""Whether registered endpoints are treated unlike others, as bodies outside measured it (docs/difference.md).

By body, protocol and week; never by operator. Each file is shown as it was published, a correction beside what it
corrects.
"""

from dataclasses import dataclass

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rahdari.watch import comparisons
from rahdari.watch.models import Comparison
from rahdari.web.replicas import from_replica

# Of a file so many weeks with all protocols are on the page, the latest first; all are in the JSON.
MOST_ROWS = 120
NAMES = {
    "openvpn": "OpenVPN",
    "wireguard": "WireGuard",
    "ikev2": "IKEv2",
    "sstp": "SSTP",
    "tls": "TLS",
    "tls-alpn": "TLS (ALPN)",
    "http": "HTTP",
    "dns": "DNS",
}
TONES = {"difference": "bad", "no_difference": "ok", "not_enough": "off"}


@dataclass(frozen=True)
class Shown:
    """`rows`: week, protocol, how it is marked, and the finding in words."""

    file: Comparison
    rows: list[tuple[str, str, str, str]]
    more: int
    corrected_by: Comparison | None


def finding(key: str) -> str:
    return {
        "difference": _("Difference"),
        "no_difference": _("No difference"),
        "not_enough": _("Not enough to say"),
    }[key]


def shown() -> list[Shown]:
    found = []
    for file in comparisons.published():
        rows = sorted(file.findings, key=lambda row: row["protocol"])
        rows.sort(key=lambda row: row["week"], reverse=True)
        told = [
            (row["week"], NAMES.get(row["protocol"], row["protocol"]), TONES[row["finding"]], finding(row["finding"]))
            for row in rows[:MOST_ROWS]
        ]
        found.append(Shown(file, told, len(rows) - len(told), getattr(file, "correction", None)))
    return found


@require_safe
@cache_control(public=True, max_age=60)
@from_replica
def difference_json(request: HttpRequest) -> JsonResponse:
    """Each file with the rows that it has, the newest first."""
    return JsonResponse(
        {
            "comparisons": [
                {
                    "body": each.body,
                    "url": each.url,
                    "rules_version": each.rules_version,
                    "sha256": each.sha256,
                    "taken_at": each.taken_at.isoformat(),
                    "corrects": each.corrects.sha256 if each.corrects is not None else None,
                    "weeks": each.findings,
                }
                for each in comparisons.published()
            ]
        }
    )
