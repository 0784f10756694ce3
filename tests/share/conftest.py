from tests.workflow.conftest import sample_operators as sample_operators
from tests.workflow.conftest import vault_keys as vault_keys
