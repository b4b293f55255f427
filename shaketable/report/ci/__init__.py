"""Results for CI: JUnit files, GitHub annotations and a badge."""
