"""Reads notices with the program with which networks read theirs (`circuit-maintenance-parser`), as it is published.

Run by the Python of an environment of its own (tests/maintenance/readers.txt): its libraries are older than ours. Takes
lines of JSON, `{"how": "ical" or "email", "content": base64}`, and gives a line for each: what it read, or its error.
"""

import base64
import json
import sys

from circuit_maintenance_parser import GenericProvider, NotificationData

for line in sys.stdin:
    asked = json.loads(line)
    content = base64.b64decode(asked["content"])
    try:
        if asked["how"] == "email":
            data = NotificationData.init_from_email_bytes(content)
        else:
            data = NotificationData.init_from_raw("ical", content)
        read = [json.loads(each.to_json()) for each in GenericProvider().get_maintenances(data)]
        sys.stdout.write(json.dumps({"read": read}) + "\n")
    except Exception as error:
        sys.stdout.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
