"""Ways to see a layer: each view is a module here and a template in templates/views/."""
