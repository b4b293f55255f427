"""What the subcommands do, one file each; imported only when called, so that `--help` is quick."""
