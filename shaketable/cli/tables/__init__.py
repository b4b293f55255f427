"""The `main` functions of the scripts under reports/."""
