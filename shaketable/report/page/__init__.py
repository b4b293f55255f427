"""report.html: `page` puts together tracks, sections and scripts into one offline file.

Importing this package raises ToolchainMissing without the extra `report`.
"""

from importlib.util import find_spec

from shaketable.errors import ToolchainMissing

if any(find_spec(module) is None for module in ("bokeh", "jinja2")):
    raise ToolchainMissing("a page needs the extra report: run `pip install 'shaketable[report]'`")
