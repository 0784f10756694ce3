"""The pushing process: editions as static files, and word of each new one. It holds no keys and knows no person."""
