"""The interfaces between nodes, the engine and the services that run it: node, services, events, forms, knowledge."""
