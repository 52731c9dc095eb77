"""Talk to an app in the terminal, by the public Web API alone, as any front-end would."""
