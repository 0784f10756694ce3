from rahdari.cli import main

raise SystemExit(main())
