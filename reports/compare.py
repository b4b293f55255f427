"""Several processors beside each other: python reports/compare.py [DIR…] [--format md|json|csv] [--page FILE]."""

from shaketable.report.compared_script import main

if __name__ == "__main__":
    main()
