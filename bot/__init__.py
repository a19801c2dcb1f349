"""Starting things: settings, the composition root, the command line, the doctor and the demo."""
