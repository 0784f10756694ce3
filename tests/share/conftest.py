from tests.line.conftest import sample_operators as sample_operators
from tests.line.conftest import vault_keys as vault_keys
