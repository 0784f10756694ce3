"""Settings. `base` holds what never differs; `production`, `demo` and `test` say what does."""
