"""The two namespaces of the document."""

from flask_restx import Namespace

web_ns = Namespace("web", description="Web application API operations", path="/")
default_ns = Namespace("default", description="Default namespace", path="/")
