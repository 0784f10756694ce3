"""The engine of the settings. Statements are prepared on the server; what makes their text is `compiler`."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

# Of one connection, in statements. A page or a round of the workflow has its own hundred; psycopg would keep as many of
# all of them together, and prepare the same ones again and again.
PREPARED = 600
# To compile a plan pays for reports that run for seconds. PostgreSQL 17 and older reckon that the question of the gate
# (`db.gate`) is one, and take seconds of processor time to compile what is answered in a millisecond.
UNCOMPILED = "-c jit=off"


class Cursor(base.CursorMixin, psycopg.Cursor[Any]):
    """A migration may change what a prepared statement returns, which PostgreSQL then refuses to run. Outside a
    transaction it is prepared anew and run at once; inside, the rollback that follows forgets what was prepared."""

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().execute(*args, **kwargs)
        except FeatureNotSupported:
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            self.connection.execute("DEALLOCATE ALL")
            return super().execute(*args, **kwargs)


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "rahdari.db.postgres.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        options = f"{UNCOMPILED} {params.get('options', '')}".rstrip()
        return params | {"cursor_factory": Cursor, "options": options}

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.prepared_max = PREPARED
        return connection
