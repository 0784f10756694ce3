"""The engine of the settings. Statements are prepared on the server; what makes their text is `compiler`.

An act within an act has a savepoint, and a round of the workflow a dozen for each application. One that is over is
released together with the next one, or by the end of its transaction, and not by a statement of its own.

Where a standby has each commit before it is answered, the wait for it can be broken off (`pg_cancel_backend`): the
server then warns, and answers as if all were well, though the commit is on its own disk alone and may be lost with it.
Here that is an error: what was asked for may have been done, and is not said to be.
"""

from contextvars import ContextVar
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from psycopg.errors import FeatureNotSupported, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

# Of one connection, in statements. A page or a round of the workflow has its own hundred; psycopg would keep as many of
# all of them together, and prepare the same ones again and again.
PREPARED = 600
# To compile a plan pays for reports that run for seconds. PostgreSQL 17 and older reckon that the question of the gate
# (`db.gate`) is one, and take seconds of processor time to compile what is answered in a millisecond.
UNCOMPILED = "-c jit=off"
# Of this request: whether it changed a row. What a function does that is called by SELECT is not seen.
WROTE: ContextVar[bool] = ContextVar("WROTE", default=False)
WRITING = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")
# The function of PostgreSQL that waits for a standby (src/backend/replication/syncrep.c): it gives this warning and no
# other. Its words depend on the language of the server.
WAITS = "SyncRepWaitForLSN"


class Unconfirmed(psycopg.OperationalError):
    """The commit was answered before a standby had it."""


def watch_for_waits_broken_off(connection: Any) -> None:
    def hear(told: psycopg.errors.Diagnostic) -> None:
        if told.source_function == WAITS:
            connection.unconfirmed = True

    connection.unconfirmed = False
    connection.add_notice_handler(hear)


def confirm(connection: Any) -> None:
    """Raises Unconfirmed."""
    if connection.unconfirmed:
        connection.unconfirmed = False
        raise Unconfirmed("the wait for a standby was broken off: what was asked for may have been done, and be lost")


class Cursor(base.CursorMixin, psycopg.Cursor[Any]):
    """A migration may change what a prepared statement returns, which PostgreSQL then refuses to run. Outside a
    transaction it is prepared anew and run at once; inside, the rollback that follows forgets what was prepared."""

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        try:
            done = super().execute(*args, **kwargs)
        except FeatureNotSupported:
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            self.connection.execute("DEALLOCATE ALL")
            done = super().execute(*args, **kwargs)
        if (self.statusmessage or "").startswith(WRITING):
            WROTE.set(True)
        confirm(self.connection)
        return done


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "rahdari.db.postgres.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    # The outermost savepoint that is over and not released.
    _over: str | None = None

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        options = f"{UNCOMPILED} {params.get('options', '')}".rstrip()
        return params | {"cursor_factory": Cursor, "options": options}

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.prepared_max = PREPARED
        watch_for_waits_broken_off(connection)
        return connection

    def _savepoint(self, sid: str) -> None:
        released = [self.ops.savepoint_commit_sql(self._over)] if self._over is not None else []
        self._tell(*released, self.ops.savepoint_create_sql(sid))
        self._over = None

    def _savepoint_commit(self, sid: str) -> None:
        self._over = sid
        if self.connection.info.transaction_status != TransactionStatus.INTRANS:
            # A statement failed within it, and nobody has said so: that is an error here, as Django has it.
            self._over = None
            super()._savepoint_commit(sid)  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        # Those that are over lie within it, and go with what was done in them.
        self._over = None
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _commit(self) -> Any:
        self._over = None
        done = super()._commit()  # type: ignore[misc]
        if self.connection is not None:
            with self.wrap_database_errors:
                confirm(self.connection)
        return done

    def _rollback(self) -> Any:
        self._over = None
        return super()._rollback()  # type: ignore[misc]

    def init_connection_state(self) -> None:
        self._over = None
        super().init_connection_state()

    def _tell(self, *texts: str) -> None:
        """Send them as one message, without a cursor: each has a name of its own, and nothing of it is kept."""
        opened = self.connection
        if self.queries_logged or self.execute_wrappers or opened.info.transaction_status != TransactionStatus.INTRANS:
            with self.cursor() as cursor:  # which begins the transaction, too
                for text in texts:
                    cursor.execute(text)
            return
        with self.wrap_database_errors:
            result = opened.pgconn.exec_("; ".join(texts).encode())
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result)
