"""What a look found, in words: by the finding, the protocol, and what narrows it down.

No answer proves nothing, and the sentences say so: servers of these kinds are silent to strangers by design.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from .sentences import Words


@dataclass(frozen=True)
class Look:
    """A few words, a sentence with places for what was seen, and a heading where it differs from the few words."""

    tone: str
    short: Words
    text: Words
    heading: Words = ""


# What stands for the protocol where there is none; ANY for what is said whatever the way. PLACES narrows down what
# several places came to together.
ANY, LINK, HTTP, OPERATOR, REGISTRY = "*", "link", "http", "operator", "registry"
PLACES = "places"

_PROVED = _("Proved")
_SILENT = Look(
    "bad",
    _("No answer"),
    _(
        "At %(time)s nothing came back from %(address)s, port %(port)s. "
        "Servers of this kind are silent to strangers, and packets get lost."
    ),
    _("No answer. That proves nothing"),
)
_RESOLVERS = Look("bad", _("No answer"), _("At %(time)s no answer came in time."), _("The resolvers did not answer"))
_NOT_IN_TIME = Look(
    "bad",
    _("No answer in time"),
    _("At %(time)s nothing came back from %(address)s, port %(port)s, in time."),
    _("The server did not answer in time"),
)
_NOT_GIVEN = Look(
    "bad",
    _("The server did not give the file"),
    _("At %(time)s %(address)s answered %(status)s. The file must be open to everyone, without a password."),
    _("We reached the server, but it did not give us the file"),
)
_NOT_ASKED = Look(
    "off",
    _("The registry could not be asked"),
    _("At %(time)s we could not ask the registry. The fault is on our side. Another method is quicker."),
)
_AGREED = Look("ok", _PROVED, _("At %(time)s it was there from %(proved)s of %(asked)s places."))
_FEW = _("Seen from too few places")
_FROM_HERE = Look(
    "wait",
    _FEW,
    _("At %(time)s it was there, seen from here. More places must see it, and they are not set up yet."),
)

# By finding, protocol, and what narrows it down; what is left empty holds for all.
LOOKS: dict[tuple[str, str, str], Look] = {
    # -- whatever the way --
    ("part", ANY, ""): Look(
        "wait",
        _("Succeeded, one more needed"),
        _("It succeeded at %(time)s. This alone is not enough: use a second method as well."),
        _("Succeeded"),
    ),
    ("proved", ANY, PLACES): _AGREED,
    ("token_found", ANY, PLACES): _AGREED,
    ("absent", ANY, ""): Look(
        "off",
        _("Could not be asked"),
        _("At %(time)s this place could not be asked. The fault is on our side."),
        _("A place could not be asked"),
    ),
    ("divided", ANY, PLACES): Look(
        "bad",
        _("Not the same from everywhere"),
        _(
            "At %(time)s it was there from %(proved)s of %(asked)s places, and from others another "
            "server answered. Check whether the address leads to one server only."
        ),
    ),
    ("divided", ANY, ""): _FROM_HERE,
    ("too_few", ANY, ""): _FROM_HERE,
    ("too_few", ANY, PLACES): Look(
        "wait",
        _FEW,
        _(
            "At %(time)s it was there from %(proved)s of %(asked)s places, and more must see it. Perhaps "
            "a firewall lets only some of us through. We check again automatically."
        ),
    ),
    # -- a link, a router's report, an operator's word --
    ("proved", LINK, ""): Look("ok", _PROVED, _("At %(time)s the link was opened from %(seen)s.")),
    ("", LINK, ""): Look(
        "bad",
        _("Opened from another network"),
        _("At %(time)s it was opened from %(seen)s. Open it on the network of the address."),
        _("The link was opened from another network"),
    ),
    ("reported", ANY, ""): Look("ok", _PROVED, _("At %(time)s the router reported the address from %(seen)s.")),
    ("operator_confirms", OPERATOR, ""): Look(
        "ok", _("The operator confirmed it"), _("It answered on %(date)s at %(time)s.")
    ),
    ("", OPERATOR, ""): Look("bad", _("The operator did not confirm it"), _("It answered on %(date)s at %(time)s.")),
    # -- a file --
    ("token_found", "", ""): Look("ok", _PROVED, _("At %(time)s we found the token at %(address)s.")),
    ("token_wrong", "", ""): Look(
        "bad",
        _("The file has another text"),
        _("At %(time)s %(address)s gave another text. Put the text in the file, on a line of its own."),
        _("We found the file, but not this text"),
    ),
    ("not_found", HTTP, "404"): Look(
        "bad",
        _("File not found yet"),
        _("At %(time)s %(address)s answered %(status)s. Check the folder name: it starts with a dot."),
        _("We reached the server, but not the file"),
    ),
    ("not_found", HTTP, ""): _NOT_GIVEN,
    ("redirected", HTTP, ""): Look(
        "bad",
        _("The server sent us elsewhere"),
        _(
            "At %(time)s %(address)s redirected us to %(location)s. We do not follow redirects. Put the "
            "file at port %(port)s of this address itself."
        ),
    ),
    ("too_long", HTTP, ""): Look(
        "bad",
        _("The file is too long"),
        _("At %(time)s %(address)s sent more than we read. The file needs this one line and no more."),
    ),
    ("malformed", HTTP, ""): Look(
        "bad",
        _("The answer cannot be read"),
        _(
            "At %(time)s something answered at %(address)s, port %(port)s, but not as a plain web server does. "
            "Serve the file over HTTP without encryption or compression."
        ),
        _("We could not read the answer"),
    ),
    ("refused", HTTP, ""): Look(
        "bad",
        _("Nothing answers there"),
        _("At %(time)s %(address)s refused the connection at port %(port)s. Start the web server, or open the port."),
        _("Nothing answers at this port"),
    ),
    ("timed_out", HTTP, ""): Look(
        "bad",
        _("No answer in time"),
        _("At %(time)s we waited 10 seconds for %(address)s, port %(port)s. Perhaps a firewall blocks us."),
        _("The server did not answer in time"),
    ),
    ("reset", HTTP, ""): Look(
        "bad",
        _("The connection was interrupted"),
        _(
            "At %(time)s %(address)s closed the connection at port %(port)s before it gave the file. "
            "Check the log of the web server, or a firewall in front of it."
        ),
    ),
    # -- a server's key or certificate, a record of a name --
    ("proved", "wireguard", ""): Look(
        "ok", _PROVED, _("At %(time)s the server at %(address)s answered our handshake.")
    ),
    ("proved", "dns", ""): Look(
        "ok", _PROVED, _("At %(time)s the record was there, and the name pointed to %(address)s.")
    ),
    ("proved", "", ""): Look("ok", _PROVED, _("At %(time)s the server at %(address)s showed the certificate.")),
    ("other_key", "dns", ""): Look("bad", _("The record has another text"), _("At %(time)s this was there: %(found)s")),
    ("other_key", "tls-alpn-01", ""): Look(
        "bad",
        _("Not the certificate for this proof"),
        _("At %(time)s %(address)s showed a certificate with another text in it, or for another address."),
        _("The certificate is not the one for this proof"),
    ),
    ("other_key", "", ""): Look(
        "bad",
        _("Another certificate answered"),
        _("At %(time)s %(address)s, port %(port)s, showed the certificate with the fingerprint %(key)s."),
    ),
    ("answered", "dns", "no_record"): Look(
        "bad",
        _("No record yet"),
        _("At %(time)s the resolvers found no record."),
        _("The record is not there yet"),
    ),
    ("answered", "dns", "other_address"): Look(
        "bad", _("The host name points elsewhere"), _("At %(time)s it pointed to %(addresses)s, not to %(address)s.")
    ),
    ("answered", "sstp", "no_sstp"): Look(
        "bad",
        _("Your certificate, but no SSTP"),
        _("At %(time)s %(address)s, port %(port)s, showed the certificate and then did not use SSTP."),
        _("Your certificate answered, but not SSTP"),
    ),
    ("answered", "tls-alpn-01", ""): Look(
        "bad",
        _("Not the certificate for this proof"),
        _("At %(time)s %(address)s, port %(port)s, answered, but did not understand %(protocol)s."),
        _("TLS answered, but not with the certificate for this proof"),
    ),
    ("answered", "", ""): Look(
        "bad",
        _("Answered in part"),
        _("At %(time)s %(protocol)s answered at %(address)s, port %(port)s, and then stopped."),
        _("It answered, but did not show its certificate"),
    ),
    ("malformed", "", ""): Look(
        "bad",
        _("Another program answered"),
        _("At %(time)s something answered at %(address)s, port %(port)s, but not as %(protocol)s does."),
        _("Another program answers at this port"),
    ),
    **{
        (finding, protocol, ""): look
        for finding in ("silent", "timed_out")
        for protocol, look in {
            "wireguard": _SILENT,
            "openvpn-udp": _SILENT,
            "ikev2": _SILENT,
            "dns": _RESOLVERS,
            "": _NOT_IN_TIME,
        }.items()
    },
    ("refused", "", ""): Look(
        "bad", _("The port is closed"), _("At %(time)s %(address)s said that nothing listens at port %(port)s.")
    ),
    ("reset", "", ""): Look(
        "bad",
        _("The connection was interrupted"),
        _("At %(time)s %(address)s, port %(port)s, ended the connection before it had shown anything."),
    ),
    ("not_global", "", ""): Look(
        "bad",
        _("Not a public address"),
        _("%(address)s cannot be reached from the internet. Give the public address in your application."),
        _("We cannot check this address"),
    ),
    ("", "", ""): Look(
        "bad",
        _("We cannot reach the address"),
        _("At %(time)s there was no route to %(address)s. Check that the connection works, then try again."),
    ),
    # -- a regional registry --
    ("line_found", REGISTRY, ""): Look("ok", _PROVED, _("At %(time)s the line was in the record of %(registry)s.")),
    ("no_line", REGISTRY, ""): Look(
        "bad",
        _("The line is not there yet"),
        _("At %(time)s %(registry)s had a record from %(first)s to %(last)s, without the line in its remarks."),
    ),
    ("other_line", REGISTRY, ""): Look(
        "bad",
        _("Another line is there"),
        _("At %(time)s the record of %(registry)s had a line of ours with another text. Copy it once more."),
    ),
    ("contacts", REGISTRY, ""): Look(
        "wait", _("Contacts found"), _("%(registry)s names contacts for the range. Choose one.")
    ),
    ("no_contacts", REGISTRY, ""): Look(
        "bad",
        _("No contact with email"),
        _("%(registry)s has no email address for the range. Choose another method."),
    ),
    ("code_sent", REGISTRY, ""): Look(
        "wait",
        _("Code requested"),
        _("At %(time)s a code to a contact at %(domain)s was requested. It gets 6 a day at most."),
    ),
    ("code_wrong", REGISTRY, ""): Look(
        "bad", _("The code was not right"), _("At %(time)s the code entered was not the one we sent.")
    ),
    ("code_right", REGISTRY, ""): Look(
        "ok", _PROVED, _("At %(time)s the code that we had sent to %(domain)s was entered.")
    ),
    ("no_record", REGISTRY, ""): Look("bad", _("No record"), _("At %(time)s %(registry)s had no record of the range.")),
    ("not_covered", REGISTRY, ""): Look(
        "bad",
        _("The record covers less"),
        _("%(registry)s has a record from %(first)s to %(last)s, which is not the whole range."),
    ),
    ("busy", REGISTRY, ""): Look(
        "wait", _("The registry is busy"), _("At %(time)s %(registry)s asked us to come back later.")
    ),
    ("unreachable", REGISTRY, ""): _NOT_ASKED,
    ("no_registry", REGISTRY, ""): _NOT_ASKED,
    ("", REGISTRY, ""): Look(
        "off",
        _("The registry could not be read"),
        _("At %(time)s %(registry)s gave an answer that we cannot read."),
    ),
}


def look_for(finding: str, protocol: str, detail: str) -> Look:
    """The words that fit best; there are some for whatever was found."""
    tried = (
        *((finding, ANY, detail), (finding, ANY, "")),
        *((finding, protocol, detail), (finding, protocol, ""), ("", protocol, "")),
        *((finding, "", ""), ("", "", "")),
    )
    return next(LOOKS[key] for key in tried if key in LOOKS)
