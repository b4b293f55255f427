"""Several processors beside each other: python reports/compare.py [DIR…] [--format md|json|csv] [--page FILE]."""

from shaketable.cli.tables.compare import main

if __name__ == "__main__":
    main()
