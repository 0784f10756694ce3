"""What the holder calls an address is kept whichever way it was typed."""

import pytest

from rahdari.apply import rows


class TestLabel:
    @pytest.mark.parametrize("heading", ["label", "Name", "لیبل"])
    def test_of_a_row_is_what_the_form_of_one_address_is_given(self, heading: str) -> None:
        table = rows.read(f"address,{heading}\n203.0.113.7,  Karachi   office \n".encode(), most_rows=10)
        assert isinstance(table, rows.Table)
        assert table.rows[0].given()["label"] == "Karachi office"
