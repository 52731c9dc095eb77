"""Files made of Markdown: Word, PDF, Excel, CSV, HTML, JSON. Needs the packages of app/requirements/exports.txt."""
