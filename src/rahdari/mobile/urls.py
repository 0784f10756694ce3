from rahdari.confirm.interface import OPERATORS
from rahdari.programs import dispatch

from . import operations

app_name = "mobile"

urlpatterns = dispatch.patterns(OPERATORS, operations)
