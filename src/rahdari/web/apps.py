from django.apps import AppConfig
from django.conf import settings


class WebConfig(AppConfig):
    name = "rahdari.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Look at connections as `connections` does; tell the operator directory where this installation keeps its own
        file, and the demonstration's samples.
        """
        from rahdari.address import directory
        from rahdari.address.block import parse_block
        from rahdari.db import connections

        connections.connect()
        extra = [
            directory.Origin(asn=asn, organisation=organisation, prefix=parse_block(prefix))
            for asn, organisation, prefix in getattr(settings, "DIRECTORY_EXTRA", [])
        ]
        directory.configure(settings.DATA / "directory" / "networks.csv", extra)
