from rahdari.cli import main

# The web server's workers import this module again; only the first one is the command.
if __name__ == "__main__":
    raise SystemExit(main())
