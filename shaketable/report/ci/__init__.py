"""Results for CI: JUnit files and GitHub annotations."""
