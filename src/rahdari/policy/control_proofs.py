"""How control of an address is proved, from the section `proof`.

Refused: a way that this version does not know, rules by which nothing can ever be proved, and rules by which one host
that answers would be taken for a whole range without saying so in numbers.
"""

from .proof_shapes import OF_A_REGISTRY, PROOF_METHODS, PROOF_OF_OLD, Proof, ProofMethod
from .reading import Section


def proof_from(root: Section) -> Proof:
    """A file without the section is one from before there was one."""
    if not root.has("proof"):
        return PROOF_OF_OLD
    section = root.section("proof")
    methods = tuple(_method(row) for row in section.rows("methods"))
    proof = Proof(
        enough=section.whole("enough", least=1, most=10),
        methods=methods,
        again_at=section.whole("again_at", least=0, most=90),
        again_when_rerouted=section.yes("again_when_rerouted"),
        windows=section.whole("windows", least=1, most=10),
        between_windows=section.span("between_windows"),
    )
    names = [each.method for each in methods]
    if len(set(names)) < len(names):
        section.fault("A way is listed twice.", "methods")
    if sum(each.weight for each in methods) < proof.enough:
        section.fault("Even all ways together do not come to enough: no address could ever be proved.", "enough")
    if "link" not in names and "http" not in names:
        # Every other way needs a VPN server that the applicant can change.
        section.fault("Offer link or http: whoever cannot change the VPN server needs a way too.", "methods")
    section.done()
    return proof


def _method(row: Section) -> ProofMethod:
    method = row.choice("method", PROOF_METHODS)
    found = ProofMethod(
        method=method,
        weight=row.whole("weight", least=0 if method in OF_A_REGISTRY else 1, most=10),
        range_weight=row.whole("range_weight", least=0, most=10),
        named_weight=row.whole("named_weight", least=1, most=10) if row.has("named_weight") else None,
    )
    if not found.weight and not found.range_weight:
        row.fault("It counts for nothing: take it out.", "range_weight")
    if found.named_weight is not None and method not in OF_A_REGISTRY:
        # A provider is named for the addresses of all its subscribers, whoever of them applies.
        row.fault(
            "Who is named in the RPKI says nothing of who answers at an address: only record and contact have it.",
            "named_weight",
        )
    if found.named_weight is not None and found.named_weight < found.range_weight:
        row.fault("Being named takes nothing away: at least as much as range_weight.", "named_weight")
    row.done()
    return found
