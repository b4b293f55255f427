"""`python -m tools.site [FOLDER]`: build the site, by default into `site/`."""

import subprocess
import sys
from pathlib import Path

from tools.site.build import build
from tools.site.pages import ROOT

if __name__ == "__main__":
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    try:
        build(site)
    except (subprocess.CalledProcessError, FileExistsError, FileNotFoundError) as error:
        sys.exit(f"the site was not built: {error}")
    sys.stdout.write(f"to read it: python -m http.server --bind 127.0.0.1 --directory {site}\n")
