"""Who reaches what, over all rooms: the promises that no single room can keep."""
