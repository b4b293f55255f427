"""`python -m shaketable`: the same as the console script."""

from shaketable.cli import main

if __name__ == "__main__":
    main()
