"""Every refusal of a form as one sentence that says how to mend it. Errors of the core carry data; the words are here.

Values that run left to right are isolated with U+2066 and U+2069, since these sentences are plain text.
"""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.address import AddressError, AddressFault, EndpointError, EndpointFault, SpecialName, format_block, vpn
from rahdari.address import Endpoint as AddressEndpoint
from rahdari.people.identifiers import IdentifierError
from rahdari.policy import Service
from rahdari.policy.pricing import Due, Nothing
from rahdari.web import values

from .rows import MOST_BYTES
from .rows import FileFault as RowsFault
from .rules import AddressTrouble, Trouble
from .screening import FileFault, FileRefused


def isolated(value: object) -> str:
    return f"\u2066{value}\u2069"


def tax_number_of_a_person() -> str:
    return _(
        "This is the number of a person’s card. The tax number of a company has 7 digits and a check digit. Without "
        "one, leave this empty."
    )


def isolated_name(value: object) -> str:
    return f"\u2068{value}\u2069"


# -- identifiers ---------------------------------------------------------------------------------------------------


def turned_around() -> str:
    return _("It contains an invisible character that reverses the digits. Type the number instead of pasting it.")


def card_number(error: IdentifierError) -> str:
    if error.reason == "empty":
        return _("Enter your card number")
    if error.reason == "turned_around":
        return turned_around()
    if error.reason == "passport":
        return _("This is the number of a passport. Enter the 13 digits of your card.")
    if error.reason == "length":
        return ngettext(
            "A card number has 13 digits. You entered %(count)s.",
            "A card number has 13 digits. You entered %(count)s.",
            error.digits,
        ) % {"count": error.digits}
    if error.reason == "first_digit":
        return _("A card number does not begin with 0. Check the card again.")
    return _("Enter the 13 digits of your card number, without letters")


def read_as(number: str) -> str:
    """A company number that was typed without its zeros."""
    return _("We read the company number as %(number)s. If that is wrong, enter all 7 digits.") % {
        "number": values.plain_ltr(number)
    }


def company_number(error: IdentifierError) -> str:
    if error.reason == "empty":
        return _("Enter the company number")
    if error.reason == "turned_around":
        return turned_around()
    if error.reason == "tax_number":
        return _("This looks like a tax number (NTN). The company number has 7 digits, on the incorporation letter.")
    return _("Enter the 7 digits of the company number")


def tax_number(error: IdentifierError) -> str:
    if error.reason == "turned_around":
        return turned_around()
    if error.reason == "letters":
        return _("A tax number has digits only. Leave letters out.")
    return _("A tax number has 7 digits, with the check digit 8. An individual’s has 13.")


def mobile(error: IdentifierError) -> str:
    if error.reason == "empty":
        return _("Enter a mobile number")
    if error.reason == "turned_around":
        return turned_around()
    if error.reason == "letters":
        return _("A mobile number has digits only. Leave letters out.")
    if error.reason == "not_pakistan":
        return _("Enter a mobile number of Pakistan. We call this number when something breaks.")
    if error.reason == "not_mobile":
        return _("This is not a mobile number. It begins with %(start)s.") % {"start": isolated("03")}
    return _("A mobile number has 11 digits and begins with %(start)s.") % {"start": isolated("03")}


def association_number(error: IdentifierError) -> str:
    if error.reason == "empty":
        return _("Enter your member number")
    if error.reason == "turned_around":
        return turned_around()
    if error.reason == "length":
        return _("A member number has 3 to 40 letters and digits.")
    return _("Write the member number as the association does: letters, digits and hyphens.")


# -- addresses -----------------------------------------------------------------------------------------------------


def address(error: AddressError) -> str:
    meant = {"address": isolated(error.suggestion)}
    reason = error.reason
    if reason is AddressFault.EMPTY:
        return _("Enter an address, for example %(address)s") % {"address": isolated("203.0.113.24")}
    if reason is AddressFault.PORT:
        return _("There is a port after the address. Enter only the address: %(address)s") % meant
    if reason is AddressFault.URL and error.suggestion:
        return _("This is a web address. Enter only this part: %(address)s") % meant
    if reason is AddressFault.TURNED_AROUND:
        return _("It contains an invisible character that reverses the digits. Type the address instead of pasting it.")
    if reason is AddressFault.NO_DIGIT:
        return _("It contains a character that only looks like a digit. Type the digits on the keyboard.")
    if reason is AddressFault.LETTER:
        if error.suggestion:
            return _("There is a letter in it: O is not 0, and l is not 1. Perhaps it is %(address)s") % meant
        return _("There is a letter in it: O is not 0, and l is not 1. Check it again.")
    if reason is AddressFault.HEXADECIMAL and error.suggestion:
        return _("Enter the address with ordinary digits: %(address)s") % meant
    if reason in {AddressFault.URL, AddressFault.HOST_NAME}:
        return _("This is a name, not an address. Enter the number behind the name: your operator knows it.")
    if reason is AddressFault.HOST_BITS:
        return _("No range begins at this address. The range around it is %(address)s") % meant
    if reason is AddressFault.NETMASK and error.suggestion:
        return _("Enter the range with a slash and one number: %(address)s") % meant
    if reason is AddressFault.RANGE and error.suggestion:
        return _("Enter the range as %(address)s") % meant
    if reason is AddressFault.RANGE:
        return _("These addresses are not one range. Add them one by one.")
    if reason is AddressFault.SEVERAL:
        return _("Enter one address here. You can add the others afterwards.")
    if reason is AddressFault.LEADING_ZEROS:
        if error.suggestion:
            return _("Some programs read a leading zero as another number. Enter %(address)s") % meant
        return _("Some programs read a leading zero as another number. Leave it out.")
    if reason is AddressFault.MAPPED:
        return _("This is an IPv4 address inside an IPv6 one. Enter %(address)s") % {
            "address": isolated(error.suggestion or "IPv4")
        }
    if reason is AddressFault.INCOMPLETE:
        return _("A part is missing. An IPv4 address has four numbers with dots, like %(address)s") % {
            "address": isolated("203.0.113.24")
        }
    if reason is AddressFault.OUT_OF_RANGE and error.suggestion:
        return _("It has one digit too many. Perhaps it is %(address)s") % meant
    if reason is AddressFault.OUT_OF_RANGE:
        return _("No number in an IPv4 address is greater than %(limit)s. Check it again.") % {
            "limit": error.limit or 255
        }
    if reason in {AddressFault.PREFIX_LENGTH, AddressFault.NETMASK}:
        return _("After the slash there is one number, %(limit)s at most.") % {"limit": error.limit or 32}
    if reason is AddressFault.SCOPE:
        return _("The part after the percent sign belongs to one machine only. Leave it out.")
    return _("This is not an address. It looks like %(four)s or %(six)s") % {
        "four": isolated("203.0.113.24"),
        "six": isolated("2001:db8::1"),
    }


def special(name: SpecialName) -> str:
    """Why nobody can register the range, and what to do instead."""
    if name is SpecialName.PRIVATE:
        return _("This is a private address. Give the public one: your router shows it, or ask your operator.")
    if name is SpecialName.SHARED:
        return _(
            "Your operator shares this address among many customers. Ask the operator for a public address of your own."
        )
    if name in {SpecialName.UNIQUE_LOCAL, SpecialName.LINK_LOCAL, SpecialName.SITE_LOCAL}:
        return _("This address works only inside your own network. Give the public one: ask your operator.")
    if name is SpecialName.LOOPBACK:
        return _(
            "Every computer uses this address for itself. Give the public one: your router shows it, or ask "
            "your operator."
        )
    if name is SpecialName.DOCUMENTATION:
        return _("This address is reserved for examples and works nowhere. Give the one that your router shows.")
    if name in {SpecialName.SIX_TO_FOUR, SpecialName.TEREDO, SpecialName.NAT64, SpecialName.MAPPED}:
        return _("This address belongs to a bridge between IPv4 and IPv6. Give the IPv4 address itself.")
    if name in {SpecialName.MULTICAST, SpecialName.BROADCAST}:
        return _(
            "This address reaches many machines at once, so nobody can register it. Give the one that your "
            "router shows."
        )
    return _("This address is reserved and belongs to nobody. Give the one that your router shows.")


def trouble(found: Trouble) -> str:
    if found.kind is AddressTrouble.SPECIAL_USE and found.special is not None:
        return special(found.special.name)
    if found.kind is AddressTrouble.TOO_WIDE:
        return _("This range is too wide. The widest that can be registered at once is %(limit)s.") % {
            "limit": isolated(f"/{found.limit}")
        }
    if found.kind is AddressTrouble.TOO_MANY:
        return ngettext(
            "One application takes %(count)s address. Begin another application for the rest.",
            "One application takes %(count)s addresses. Begin another application for the rest.",
            found.limit or 0,
        ) % {"count": found.limit}
    if found.kind is AddressTrouble.DUPLICATE and found.other is not None:
        return _("It is already in this application: %(endpoint)s. Change that one, or enter another.") % {
            "endpoint": isolated(endpoint(found.other))
        }
    if found.kind is AddressTrouble.HELD_BY_YOU and found.other is not None:
        return _("You have already registered it: %(endpoint)s. It stays registered, so leave it out here.") % {
            "endpoint": isolated(endpoint(found.other))
        }
    return _("This application is for a mobile number, so it has no address. Begin another one for addresses.")


def endpoint(value: AddressEndpoint) -> str:
    return f"{format_block(value.block)} {vpn.ports_in_words(value.parts)}".strip()


def port(error: EndpointError) -> str:
    if error.reason is EndpointFault.PORT_WITHOUT_PROTOCOL:
        return _("This protocol has no port. Leave the ports empty.")
    if error.reason is EndpointFault.PORTS_ARE_FIXED:
        return _("This always uses the ports %(ports)s. Leave the ports empty, or choose another protocol.") % {
            "ports": isolated(error.suggestion)
        }
    if error.reason is EndpointFault.PORT_OUT_OF_RANGE:
        return _("A port is a number from 1 to 65535.")
    if error.reason is EndpointFault.RANGE_REVERSED:
        return _("In a range the smaller port comes first: %(ports)s") % {"ports": isolated(error.suggestion)}
    if error.reason is EndpointFault.TOO_MANY:
        return ngettext(
            "One address takes %(count)s port. For more, choose everything at this address.",
            "One address takes %(count)s ports. For more, choose everything at this address.",
            error.limit or 0,
        ) % {"count": error.limit}
    if error.reason is EndpointFault.SEVERAL_MEANINGS:
        two = error.text.replace(",", " ").split()
        return _("This can be one port or two. Enter %(one)s, or with comma and space %(two)s") % {
            "one": isolated("".join(two)),
            "two": isolated(", ".join(two)),
        }
    return _("Enter the ports as numbers, for example %(ports)s") % {"ports": isolated("1194, 1200-1203")}


def rows_file(fault: RowsFault, *, most_rows: int) -> str:
    """Why a file of addresses cannot be read at all, and what to do."""
    if fault is RowsFault.EMPTY:
        return _("The file has no rows. Write one address in each row, under the names of the columns.")
    if fault is RowsFault.TOO_LARGE:
        return _("Too big. The limit is %(limit)s MB. Keep only the columns with addresses.") % {
            "limit": megabytes(MOST_BYTES)
        }
    if fault is RowsFault.NO_COLUMNS:
        return _("No column has the name %(column)s. Write the names of the columns into the first row.") % {
            "column": isolated("address")
        }
    if fault is RowsFault.TOO_MANY_ROWS:
        return ngettext(
            "A file takes %(count)s row. Divide it, and begin another application for the rest.",
            "A file takes %(count)s rows. Divide it, and begin another application for the rest.",
            most_rows,
        ) % {"count": f"{most_rows:,}"}
    if fault is RowsFault.SECRET:
        return _("There is a key in the file. We have deleted the file. Remove the keys: we never need them.")
    return _("We cannot read this table. Save it as CSV in your spreadsheet, then send that file.")


def repeated(line: int) -> str:
    return _("It is already in row %(line)s. Remove one of them.") % {"line": line}


def added_before() -> str:
    return _("It is already in this application. Leave this row out.")


def no_such_protocol(names: str) -> str:
    return _("Write one of these: %(names)s") % {"names": values.plain_ltr(names)}


def network_unknown() -> str:
    return _("The network of this address is not on our list. An officer will look at it.")


def another_operator(name: str) -> str:
    return _("The routes name another operator: %(name)s. We use that.") % {"name": isolated_name(name)}


def new_branch(name: str) -> str:
    return _("A new branch: %(name)s. It is added with the address.") % {"name": isolated_name(name)}


def no_such_branch() -> str:
    return _(
        "There is no branch with this name, and you may not add one. Enter the name of an existing branch, or "
        "ask a manager of the organisation to add it."
    )


def branches_full(limit: int) -> str:
    words = ngettext(
        "An organisation has %(count)s branch at most. Remove one that no longer exists.",
        "An organisation has %(count)s branches at most. Remove one that no longer exists.",
        limit,
    )
    return words % {"count": f"{limit:,}"}


def too_many_drafts(limit: int) -> str:
    words = ngettext(
        "You have %(count)s application that is not sent, which is the limit. Send it or withdraw it first.",
        "You have %(count)s applications that are not sent, which is the limit. Send one or withdraw one first.",
        limit,
    )
    return words % {"count": limit}


def files_too_often(wait: dt.timedelta) -> str:
    words = _("You sent many files in a short time. Send this one again after %(when)s.")
    return words % {"when": values.again_after(wait)}


def too_many_files(limit: int) -> str:
    words = ngettext(
        "%(count)s file is already waiting, which is the limit. Add its rows, or delete it.",
        "%(count)s files are already waiting, which is the limit. Add the rows of one, or delete one.",
        limit,
    )
    return words % {"count": limit}


def no_organisation_yet() -> str:
    return _(
        "You have not said yet who applies, so branches cannot be added. We keep this text as your own note on the "
        "address."
    )


def range_of(count: int) -> str:
    return ngettext("This is a range of %(count)s address.", "This is a range of %(count)s addresses.", count) % {
        "count": f"{count:,}"
    }


# -- files ---------------------------------------------------------------------------------------------------------


# Pictures that telephones and programs make and that we do not take: "take a photo" would be no help.
PICTURES = frozenset({"HEIC", "AVIF", "WEBP", "GIF", "TIFF", "TIF", "BMP"})


def megabytes(size: int) -> str:
    return f"{max(size / 1024 / 1024, 0.1):.1f}".removesuffix(".0")


def file(error: FileRefused) -> str:
    """What to do about a file, without its name."""
    reason, found = error.reason, isolated(error.found)
    if reason is FileFault.EMPTY:
        return _("The file is empty. Save it again, or choose another one.")
    if reason is FileFault.TOO_BIG:
        return _("Too big. The limit is %(limit)s MB: send only the pages that matter, or photos of them.") % {
            "limit": megabytes(error.limit or 0)
        }
    if reason is FileFault.WRONG_TYPE and error.found in PICTURES:
        return _(
            "We cannot use this type of picture (%(type)s). Save it as JPG, or take a screenshot of it and send that."
        ) % {"type": found}
    if reason is FileFault.WRONG_TYPE:
        return _("Wrong type. Save it as PDF, or take a photo of the page.")
    if reason is FileFault.DISGUISED and error.found:
        return _(
            "The file name does not match the content, which is %(type)s. Save it as PDF, JPG or PNG with a "
            "matching name."
        ) % {"type": found}
    if reason is FileFault.DISGUISED:
        return _("The file name does not match the content. Save it as PDF, JPG or PNG with a matching name.")
    if reason is FileFault.POLYGLOT:
        return _("Another file is hidden in it. Print it to a new PDF, or take a photo of the page.")
    if reason is FileFault.PASSWORD:
        return _("It opens only with a password. Save it without one: print it to a new PDF.")
    if reason is FileFault.TOO_SMALL:
        return _("The picture is too small to read. Take the photo again, one page filling the picture.")
    if reason is FileFault.TOO_MANY_PIXELS:
        return _(
            "The picture has more pixels than we can use: %(limit)s million at most. Take it with a lower resolution."
        ) % {"limit": error.limit}
    if reason is FileFault.TOO_MANY_PAGES:
        return ngettext(
            "It has too many pages, and %(count)s is the limit. Send only the pages that matter.",
            "It has too many pages, and %(count)s is the limit. Send only the pages that matter.",
            error.limit or 0,
        ) % {"count": error.limit}
    if reason is FileFault.NO_ROOM and error.limit is None:
        return _("There is no room for more files now. Send it again tomorrow, or write what it shows.")
    if reason is FileFault.NO_ROOM:
        return _(
            "The files of your open applications already take %(limit)s MB, which is the limit. Remove one that "
            "is not needed, or send this one when an application is decided."
        ) % {"limit": megabytes(error.limit or 0)}
    if reason is FileFault.TOO_OFTEN:
        return files_too_often(dt.timedelta(seconds=error.limit or 0))
    if reason is FileFault.BUSY:
        return _("We are too busy to check it, and have not kept it. Send it again in a few minutes.")
    if reason is FileFault.TOO_COMPLEX:
        return _("It unpacks to far more than its size. Print it to a new PDF, or take a photo of the page.")
    return _("Not readable. Save it again, or take the photo again in daylight, one page filling the picture.")


# -- fees ----------------------------------------------------------------------------------------------------------


def fee(due: Due | Nothing, service: Service, language: str) -> list[str]:
    """What an application costs as it stands, what was counted for it, and then the rule of its service; the rule alone
    where it is free."""
    lines = [service.fee.text.in_language(language)]
    if isinstance(due, Due) and due.earlier and service.fee.counts_earlier:
        lines.insert(
            0,
            _(
                "Addresses that you already have count. One that you took out of another registration counts until it "
                "is off the list."
            ),
        )
    return lines if due is Nothing.FREE else [_fee_now(due, service.fee.currency), *lines]


def _fee_now(due: Due | Nothing, currency: str) -> str:
    if due is Nothing.NOTHING_NEW:
        return _("No fee: no address is new.")
    if due is Nothing.NO_AMOUNT:
        return _("There would be a fee, but no amount is published. You pay nothing.")
    if isinstance(due, Nothing):
        return _("No fee for so few addresses.")
    amount, each = (isolated(f"{currency} {sum:,.2f}") for sum in (due.amount, due.each))
    if due.once:
        return _("%(amount)s for the application.") % {"amount": amount}
    return ngettext(
        "%(amount)s: %(count)s new address at %(each)s.",
        "%(amount)s: %(count)s new addresses at %(each)s each.",
        due.addresses,
    ) % {"amount": amount, "count": due.addresses, "each": each}
