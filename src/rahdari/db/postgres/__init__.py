"""Django's backend for PostgreSQL, with the text of queries kept (`compiler`) and prepared on the server (`base`)."""
