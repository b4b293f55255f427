"""report.html: `page` puts together tracks, sections and scripts into one offline file."""
